// Decimal numbers as they are written, never as floating point. Knows no locale and no rounding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

// digits x 10^exponent, without zeros at either end of the digits; zero has no digits.
struct DecimalNumber {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
};

// Reads a JSON number; leading zeros are allowed. Empty: the text is none. Exponents beyond 10^15 are cut to
// it: no text is as long as to bring their numbers back into range.
std::optional<DecimalNumber> read_decimal_number(std::string_view text);

}  // namespace fantail
