#include "pipeline/duration.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "pipeline/url/ascii.h"

namespace fantail {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t microseconds;
};

// In descending order.
constexpr std::array<Unit, 5> kUnits = {
    {{"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"us", 1}}};
constexpr std::size_t kSeconds = 2;

// Ten years: a longer one is a slip, and added to a clock that counts nanoseconds it might overflow.
constexpr std::uint64_t kLongestDuration = 10ULL * 365 * 24 * 3600 * 1'000'000;

// Takes what satisfies the predicate off the front of the text.
template <class Predicate>
std::string_view take_while(std::string_view& text, Predicate predicate) {
  std::size_t size = 0;
  while (size < text.size() && predicate(text[size]))
    ++size;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

std::optional<std::uint64_t> multiply(std::string_view digits, std::uint64_t unit) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kLongestDuration - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  if (value > kLongestDuration / unit) return std::nullopt;
  return value * unit;
}

// The part after the point, when it is a whole number of microseconds.
std::optional<std::uint64_t> fraction_of(std::string_view digits, std::uint64_t unit) {
  while (!digits.empty() && digits.back() == '0')
    digits.remove_suffix(1);
  if (digits.size() > 9) return std::nullopt;
  const auto product = multiply(digits, unit);
  std::uint64_t scale = 1;
  for (std::size_t i = 0; i < digits.size(); ++i)
    scale *= 10;
  if (!product || *product % scale != 0) return std::nullopt;
  return *product / scale;
}

std::size_t find_unit(std::string_view name) {
  std::size_t i = 0;
  while (i < kUnits.size() && kUnits[i].name != name)
    ++i;
  return i;
}

std::string two_digits(std::uint64_t value) {
  return (value < 10 ? "0" : "") + std::to_string(value);
}

std::uint64_t rounded(std::uint64_t value, std::uint64_t unit) {
  return value / unit + (value % unit >= unit - unit / 2 ? 1 : 0);
}

}  // namespace

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  std::size_t smallest = 0;  // units before this one are used up
  bool first = true;
  while (!text.empty()) {
    const std::string_view whole = take_while(text, is_ascii_digit);
    if (whole.empty()) return std::nullopt;
    std::string_view fraction;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      fraction = take_while(text, is_ascii_digit);
      if (fraction.empty()) return std::nullopt;
    }
    const std::string_view name = take_while(text, [](char c) { return c >= 'a' && c <= 'z'; });
    const std::size_t unit = name.empty() && first && text.empty() ? kSeconds : find_unit(name);
    if (unit == kUnits.size() || unit < smallest) return std::nullopt;
    const auto base = multiply(whole, kUnits[unit].microseconds);
    const auto rest = fraction_of(fraction, kUnits[unit].microseconds);
    if (!base || !rest || *base > kLongestDuration - *rest || total > kLongestDuration - *base - *rest)
      return std::nullopt;
    total += *base + *rest;
    smallest = unit + 1;
    first = false;
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(total));
}

std::string format_duration(std::chrono::microseconds duration) {
  const auto microseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  // Each step rounds first: 9.96 ms is "10 ms" and 59.999 s is "1 m 00 s".
  const std::uint64_t tenths = rounded(microseconds, 100);
  if (tenths == 0) return "0 ms";
  if (tenths < 100) return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
  const std::uint64_t milliseconds = rounded(microseconds, 1'000);
  if (milliseconds < 1'000) return std::to_string(milliseconds) + " ms";
  const std::uint64_t hundredths = rounded(microseconds, 10'000);
  if (hundredths < 6'000) return std::to_string(hundredths / 100) + "." + two_digits(hundredths % 100) + " s";
  const std::uint64_t seconds = rounded(microseconds, 1'000'000);
  const std::string tail = two_digits(seconds % 60) + " s";
  if (seconds < 3'600) return std::to_string(seconds / 60) + " m " + tail;
  return std::to_string(seconds / 3'600) + " h " + two_digits(seconds / 60 % 60) + " m " + tail;
}

}  // namespace fantail
