#include "sink/writers/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "sink/writers/character_width.h"
#include "sink/writers/utf8_piece.h"

namespace fantail {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// \x1b, \u202e, \U0001f600: the letter after the backslash, then so many digits.
void append_hex_escape(char letter, char32_t value, int digits, std::string& out) {
  out += '\\';
  out += letter;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += kHexDigits[(value >> shift) & 0xF];
}

bool is_bidi_control(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 || is_bidi_control(c);
}

void append_control_escape(char32_t c, std::string& out) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c < 0x80) {
    append_hex_escape('x', c, 2, out);
  } else {
    append_hex_escape('u', c, 4, out);
  }
}

// The length of the ASCII text that the bytes begin with, found eight bytes at a time.
std::size_t ascii_prefix(std::string_view bytes) {
  std::size_t length = 0;
  while (bytes.size() - length >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + length, sizeof word);
    if ((word & 0x8080808080808080u) != 0) break;
    length += sizeof word;
  }
  while (length < bytes.size() && static_cast<unsigned char>(bytes[length]) < 0x80)
    ++length;
  return length;
}

// The longest beginning of at most so many columns, with the combining marks that belong to its last
// character.
std::string_view prefix_of_width(std::string_view text, std::size_t width) {
  std::size_t length = 0;
  std::size_t used = 0;
  while (length < text.size()) {
    const Utf8Piece piece = first_utf8_piece(text.substr(length));
    used += character_width(piece.code_point);
    if (used > width) break;
    length += piece.length;
  }
  return text.substr(0, length);
}

// The longest ending of at most so many columns. It does not begin with a combining mark.
std::string_view suffix_of_width(std::string_view text, std::size_t width) {
  std::size_t skip = display_width(text);
  skip -= std::min(skip, width);
  std::size_t begin = 0;
  for (std::size_t passed = 0; begin < text.size();) {
    const Utf8Piece piece = first_utf8_piece(text.substr(begin));
    const std::size_t columns = character_width(piece.code_point);
    if (passed >= skip && columns > 0) break;
    passed += columns;
    begin += piece.length;
  }
  return text.substr(begin);
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
  for (;;) {
    bytes.remove_prefix(ascii_prefix(bytes));
    if (bytes.empty()) return true;
    const Utf8Piece piece = first_utf8_piece(bytes);
    if (!piece.valid) return false;
    bytes.remove_prefix(piece.length);
  }
}

std::string escape_invalid_utf8(std::string_view bytes, bool* altered) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Utf8Piece piece = first_utf8_piece(bytes);
    if (piece.valid) {
      out += bytes.substr(0, piece.length);
    } else {
      append_hex_escape('x', piece.code_point, 2, out);
      *altered = true;
    }
    bytes.remove_prefix(piece.length);
  }
  return out;
}

std::string escape_control(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  while (!utf8.empty()) {
    const Utf8Piece piece = first_utf8_piece(utf8);
    if (!piece.valid) {
      append_hex_escape('x', piece.code_point, 2, out);
    } else if (is_control(piece.code_point)) {
      append_control_escape(piece.code_point, out);
    } else {
      out += utf8.substr(0, piece.length);
    }
    utf8.remove_prefix(piece.length);
  }
  return out;
}

std::string escape_non_ascii(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  while (!utf8.empty()) {
    const Utf8Piece piece = first_utf8_piece(utf8);
    if (piece.valid && piece.code_point < 0x80) {
      out += utf8[0];
    } else if (!piece.valid) {
      append_hex_escape('x', piece.code_point, 2, out);
    } else if (piece.code_point < 0x10000) {
      append_hex_escape('u', piece.code_point, 4, out);
    } else {
      append_hex_escape('U', piece.code_point, 8, out);
    }
    utf8.remove_prefix(piece.length);
  }
  return out;
}

std::size_t display_width(std::string_view utf8) {
  std::size_t width = 0;
  while (!utf8.empty()) {
    const Utf8Piece piece = first_utf8_piece(utf8);
    width += character_width(piece.code_point);
    utf8.remove_prefix(piece.length);
  }
  return width;
}

std::string truncate_end(std::string_view utf8, std::size_t width, std::string_view mark) {
  if (display_width(utf8) <= width) return std::string(utf8);
  const std::size_t mark_width = display_width(mark);
  if (mark_width >= width) return std::string(prefix_of_width(mark, width));
  return std::string(prefix_of_width(utf8, width - mark_width)).append(mark);
}

std::string truncate_middle(std::string_view utf8, std::size_t width, std::string_view mark) {
  if (display_width(utf8) <= width) return std::string(utf8);
  const std::size_t mark_width = display_width(mark);
  if (mark_width >= width) return std::string(prefix_of_width(mark, width));
  const std::size_t room = width - mark_width;
  // The end of a path tells more than its beginning.
  const std::size_t tail = (room + 1) / 2;
  return std::string(prefix_of_width(utf8, room - tail)).append(mark).append(suffix_of_width(utf8, tail));
}

std::string pad_right(std::string_view utf8, std::size_t width) {
  const std::size_t used = display_width(utf8);
  return std::string(utf8).append(width - std::min(used, width), ' ');
}

std::string pad_left(std::string_view utf8, std::size_t width) {
  const std::size_t used = display_width(utf8);
  return std::string(width - std::min(used, width), ' ').append(utf8);
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= count ? kAlphabet[(group >> (18 - 6 * k)) & 0x3F] : '=';
  }
  return out;
}

}  // namespace fantail
