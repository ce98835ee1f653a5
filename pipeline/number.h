// Numbers as people read them: counts in groups of three digits. Knows no locale: output is the same
// everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fantail {

std::string format_count(std::uint64_t count);  // 48,234
// "1 file", "48,234 files": the count and the noun that goes with it.
std::string format_items(std::uint64_t count, std::string_view singular, std::string_view plural);

}  // namespace fantail
