#include "pipeline/byte_size.h"

#include <array>
#include <limits>
#include <utility>

#include "pipeline/url/ascii.h"

namespace fantail {

namespace {

constexpr std::uint64_t kLargestSize = std::numeric_limits<std::uint64_t>::max();

// Bytes in the unit; 0 for an unknown one.
std::uint64_t unit_bytes(std::string_view unit) {
  if (unit.empty() || unit == "b") return 1;
  const std::size_t power = std::string_view("kmgt").find(unit.front());
  if (power == std::string_view::npos) return 0;
  const std::string_view rest = unit.substr(1);
  const bool decimal = rest == "b";
  if (!decimal && !rest.empty() && rest != "ib") return 0;
  std::uint64_t bytes = 1;
  for (std::size_t i = 0; i <= power; ++i)
    bytes *= decimal ? 1000 : 1024;
  return bytes;
}

}  // namespace

std::optional<std::uint64_t> parse_byte_size(std::string_view text) {
  std::uint64_t count = 0;
  std::size_t at = 0;
  for (; at < text.size() && (is_ascii_digit(text[at]) || text[at] == '_'); ++at) {
    if (text[at] == '_') {
      // An underscore stands between two digits.
      if (at == 0 || !is_ascii_digit(text[at - 1]) || at + 1 == text.size() || !is_ascii_digit(text[at + 1]))
        return std::nullopt;
      continue;
    }
    const auto digit = static_cast<std::uint64_t>(text[at] - '0');
    if (count > (kLargestSize - digit) / 10) return std::nullopt;
    count = count * 10 + digit;
  }
  if (at == 0) return std::nullopt;
  const std::uint64_t unit = unit_bytes(to_ascii_lower(text.substr(at)));
  if (unit == 0 || count > kLargestSize / unit) return std::nullopt;
  return count * unit;
}

std::string format_byte_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  static constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::uint64_t unit = 1024;
  std::size_t name = 0;
  // 1023.5 KiB and more would be rounded to 1024 KiB: it is 1.0 MiB.
  while (name + 1 < kUnits.size() && bytes / unit >= 1023 && bytes >= unit * 1024 - unit / 2) {
    unit *= 1024;
    ++name;
  }
  const std::uint64_t whole = bytes / unit, rest = bytes % unit;
  const std::uint64_t tenths = whole * 10 + (rest * 10 + unit / 2) / unit;
  std::string text;
  if (tenths < 100)
    text = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
  else
    text = std::to_string(whole + (rest >= unit / 2 ? 1 : 0));
  return text.append(" ").append(kUnits[name]);
}

}  // namespace fantail
