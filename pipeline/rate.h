// Rates as people write them.
#pragma once

#include <optional>
#include <string_view>

namespace fantail {

// "100/s", "30/m", "5/h", "2.5/s"; a number alone is per second. Per second; empty for anything else, and
// for none at all.
std::optional<double> parse_rate(std::string_view text);

}  // namespace fantail
