// Character classes of ASCII, independent of the locale. Bytes above 0x7F belong to none of them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace fantail {

constexpr bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr char to_ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_ascii_alpha(char c) {
  return to_ascii_lower(c) >= 'a' && to_ascii_lower(c) <= 'z';
}

// The value of a hexadecimal digit, -1 for any other byte.
constexpr int ascii_hex_value(char c) {
  if (is_ascii_digit(c)) return c - '0';
  const char lower = to_ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

inline bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

inline std::string to_ascii_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return to_ascii_lower(c); });
  return out;
}

}  // namespace fantail
