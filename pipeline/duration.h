// Durations as people write and read them. Knows no locale.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

// "10s", "500ms", "250us", "2m", "1h30m", "1.5s"; a number without unit is in seconds. Units come in
// descending order. Empty for anything else: signs, spaces, fractions of a microsecond,
// more than ten years.
std::optional<std::chrono::microseconds> parse_duration(std::string_view text);

// "0.4 ms", "112 ms", "2.24 s", "1 m 05 s", "2 h 00 m 09 s"; what is negative is shown as "0 ms".
std::string format_duration(std::chrono::microseconds duration);

}  // namespace fantail
