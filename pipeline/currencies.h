// The currencies in use and the digits of their minor units. Codes that are no money to pay with (metals,
// funds without a minor unit, test codes) are not here. Source: ISO 4217, lists one and three.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fantail {

// 2 for USD, 0 for JPY, 3 for KWD; empty for what is no code in use. Codes are upper case.
std::optional<std::uint32_t> currency_minor_digits(std::string_view code);

}  // namespace fantail
