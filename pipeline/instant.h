// Time inside a process: a steady clock that goes on while the machine sleeps (CLOCK_BOOTTIME), in
// microseconds. Deciders get it as an argument; only edges read the clock. It is the same for all processes
// until the next boot.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace fantail {

using Duration = std::chrono::microseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline constexpr Instant kNever = Instant::max();

// A peer's word for it: what is more than a year is a year, so that sums stay small.
inline Duration duration_of(std::uint64_t microseconds) {
  constexpr Duration kYear = std::chrono::hours(365 * 24);
  return Duration(static_cast<Duration::rep>(std::min<std::uint64_t>(microseconds, kYear.count())));
}

}  // namespace fantail
