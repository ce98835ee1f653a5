// Text on its way out: what makes bytes valid UTF-8, safe for a terminal, ASCII, or fit into a number of
// columns. Knows no rows and no formats. UTF-8 is that of RFC 3629, base64 that of RFC 4648 section 4.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fantail {

bool is_valid_utf8(std::string_view bytes);

// Invalid bytes become the four characters \xNN, all others stay as they are. Sets *altered where there was
// one.
std::string escape_invalid_utf8(std::string_view bytes, bool* altered);

// What a terminal would obey instead of show, made visible: C0 and C1 controls, DEL, bidi controls, line and
// paragraph separators become \n, \t, \x1b, \u202e. Invalid bytes become \xNN.
std::string escape_control(std::string_view utf8);

// Characters beyond ASCII become \u00e9 or \U0001f600, for terminals that cannot show them.
std::string escape_non_ascii(std::string_view utf8);

// Columns on a terminal: 0 for combining marks, 2 for wide East Asian characters and emoji.
std::size_t display_width(std::string_view utf8);

// The text, cut to at most so many columns; the mark ("…", "...") stands where something is missing. A mark
// that is wider than the room is cut too.
std::string truncate_end(std::string_view utf8, std::size_t width, std::string_view mark);
std::string truncate_middle(std::string_view utf8, std::size_t width, std::string_view mark);

// Spaces up to width, on the right or on the left.
std::string pad_right(std::string_view utf8, std::size_t width);
std::string pad_left(std::string_view utf8, std::size_t width);

std::string base64(std::string_view bytes);

}  // namespace fantail
