#include "pipeline/decimal_number.h"

#include <algorithm>

namespace fantail {

namespace {

constexpr std::int64_t kExponentLimit = 1'000'000'000'000'000;

std::string_view take_digits(std::string_view& text) {
  const std::size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

// Reads "e+5" to the end of the text.
std::optional<std::int64_t> read_exponent(std::string_view text) {
  text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view digits = take_digits(text);
  if (digits.empty() || !text.empty()) return std::nullopt;
  std::int64_t exponent = 0;
  for (const char c : digits)
    exponent = std::min(exponent * 10 + (c - '0'), kExponentLimit);
  return negative ? -exponent : exponent;
}

}  // namespace

std::optional<DecimalNumber> read_decimal_number(std::string_view text) {
  DecimalNumber decimal;
  decimal.negative = text.starts_with('-');
  if (decimal.negative) text.remove_prefix(1);
  decimal.digits = take_digits(text);
  if (decimal.digits.empty()) return std::nullopt;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::string_view fraction = take_digits(text);
    if (fraction.empty()) return std::nullopt;
    decimal.digits += fraction;
    decimal.exponent = -static_cast<std::int64_t>(fraction.size());
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    const auto exponent = read_exponent(text);
    if (!exponent) return std::nullopt;
    decimal.exponent += *exponent;
    text = {};
  }
  if (!text.empty()) return std::nullopt;
  const std::size_t zeros_behind =
      decimal.digits.size() - (decimal.digits.find_last_not_of('0') + 1);  // npos + 1 is 0
  decimal.exponent += static_cast<std::int64_t>(zeros_behind);
  decimal.digits.resize(decimal.digits.size() - zeros_behind);
  decimal.digits.erase(0, decimal.digits.find_first_not_of('0'));
  return decimal;
}

}  // namespace fantail
