#include "pipeline/money.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "pipeline/currencies.h"
#include "pipeline/decimal_number.h"

namespace fantail {

namespace {

constexpr std::int64_t kMaxDigits = 18;  // an int64 holds any number of as many

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
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
  const std::optional<DecimalNumber> decimal = read_decimal_number(text);
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
