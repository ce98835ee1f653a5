// How many terminal columns one character takes.
#pragma once

#include <cstddef>

namespace fantail {

// 0, 1 or 2. Control characters count 1: they have to be escaped before they are shown.
std::size_t character_width(char32_t code_point);

}  // namespace fantail
