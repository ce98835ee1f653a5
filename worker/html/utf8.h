// UTF-8 as the HTML scanner needs it: encode one character, repair bytes that are not UTF-8, cut at a
// boundary. Malformed bytes become U+FFFD by "maximal subparts", as the WHATWG Encoding standard decodes
// them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fantail {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

void append_utf8(char32_t code_point, std::string& text);

// Whether these bytes could be the beginning of a UTF-8 text: a sequence cut off at the end is forgiven.
bool is_utf8_beginning(std::string_view bytes);

// At most max_size bytes of a valid UTF-8 text, whole characters only.
std::string_view truncate_utf8(std::string_view text, std::size_t max_size);

}  // namespace fantail
