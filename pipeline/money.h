// Exact amounts of money: decimal text in, integer minor units out, never a floating-point number between.
// Knows no locale, no rounding and no exchange rates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace fantail {

struct Money {
  std::int64_t minor_units = 0;  // cents for USD
  std::uint32_t minor_digits = 0;
  std::string currency;  // ISO 4217

  bool operator==(const Money&) const = default;
};

struct MoneyError {
  std::string code;     // "bad_price" or "unknown_currency"
  std::string message;  // one sentence in printable ASCII

  bool operator==(const MoneyError&) const = default;
};

// Reads a JSON number ("1234.50", "1.5e2") with white space around it; leading zeros are allowed. The amount
// must not be negative, must have fewer than 19 digits in minor units, and none but zeros beyond them.
std::variant<Money, MoneyError> parse_money(std::string_view raw_number, std::string_view currency);

// "62.45", or "1234" without minor digits. Requires: minor_units is not negative.
std::string format_amount(std::int64_t minor_units, std::uint32_t minor_digits);

}  // namespace fantail
