// Numbers straight into an output buffer, for the formats that write millions of rows.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace fantail {

inline void append_integer(std::uint64_t value, std::string& out) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// 12345 microseconds are 12.345. Exact: no floating point on the way.
inline void append_milliseconds(std::uint64_t microseconds, std::string& out) {
  append_integer(microseconds / 1000, out);
  const std::uint64_t fraction = microseconds % 1000;
  out += '.';
  out += static_cast<char>('0' + fraction / 100);
  out += static_cast<char>('0' + fraction / 10 % 10);
  out += static_cast<char>('0' + fraction % 10);
}

}  // namespace fantail
