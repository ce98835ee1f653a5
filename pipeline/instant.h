// Time inside a process: a steady clock that goes on while the machine sleeps (CLOCK_BOOTTIME), in
// microseconds. Deciders get it as an argument; only edges read the clock. It is the same for all processes
// until the next boot.
#pragma once

#include <chrono>

namespace fantail {

using Duration = std::chrono::microseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline constexpr Instant kNever = Instant::max();

}  // namespace fantail
