#include "pipeline/money.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "pipeline/currencies.h"

namespace fantail {

namespace {

constexpr std::int64_t kMaxDigits = 18;  // an int64 holds any number of as many
// Exponents beyond are cut to it: no text is as long as to bring their numbers back into range.
constexpr std::int64_t kExponentLimit = 1'000'000'000'000'000;

// digits x 10^exponent, without zeros at either end of the digits; zero has no digits.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

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

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal decimal;
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

// The text in quotes, short and printable whatever it holds.
std::string shown(std::string_view text) {
  constexpr std::size_t kMaxShown = 40;
  std::string shown = "\"";
  for (const char c : text.substr(0, kMaxShown))
    shown += c >= ' ' && c <= '~' ? c : '?';
  return shown + (text.size() > kMaxShown ? "...\"" : "\"");
}

MoneyError bad_price(std::string_view text, const std::string& cause) {
  return {"bad_price", "the price " + shown(text) + " " + cause};
}

}  // namespace

std::variant<Money, MoneyError> parse_money(std::string_view raw_number, std::string_view currency) {
  const auto minor_digits = currency_minor_digits(currency);
  if (!minor_digits)
    return MoneyError{"unknown_currency", "the currency " + shown(currency) + " is no ISO 4217 code in use"};
  const std::string_view text = trimmed(raw_number);
  const std::optional<Decimal> decimal = read_decimal(text);
  if (!decimal) return bad_price(text, "is not a decimal number");

  Money money{0, *minor_digits, std::string(currency)};
  if (decimal->digits.empty()) return money;
  if (decimal->negative) return bad_price(text, "is negative");
  const std::int64_t zeros = decimal->exponent + *minor_digits;
  if (zeros < 0)
    return bad_price(text, "has more than the " + std::to_string(*minor_digits) +
                               " digits after the point that " + money.currency + " has");
  if (static_cast<std::int64_t>(decimal->digits.size()) + zeros > kMaxDigits)
    return bad_price(text, "has more than " + std::to_string(kMaxDigits) + " digits");
  for (const char c : decimal->digits)
    money.minor_units = money.minor_units * 10 + (c - '0');
  for (std::int64_t i = 0; i < zeros; ++i)
    money.minor_units *= 10;
  return money;
}

std::string format_amount(std::int64_t minor_units, std::uint32_t minor_digits) {
  assert(minor_units >= 0);
  std::string text = std::to_string(minor_units);
  if (minor_digits == 0) return text;
  if (text.size() <= minor_digits) text.insert(0, minor_digits + 1 - text.size(), '0');
  text.insert(text.size() - minor_digits, 1, '.');
  return text;
}

}  // namespace fantail
