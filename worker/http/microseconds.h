// Durations as the messages carry them, and back.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace fantail {

inline std::uint64_t to_raw_us(std::chrono::microseconds duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
}

// A peer may send any number; what does not fit is the longest duration.
inline std::chrono::microseconds from_raw_us(std::uint64_t raw_us) {
  constexpr auto kLongest = static_cast<std::uint64_t>(std::chrono::microseconds::max().count());
  return std::chrono::microseconds(static_cast<std::int64_t>(std::min(raw_us, kLongest)));
}

}  // namespace fantail
