// Time inside a process: the steady clock, in microseconds. Deciders get it as an argument; only edges read
// the clock.
#pragma once

#include <chrono>

namespace fantail {

using Duration = std::chrono::microseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline constexpr Instant kNever = Instant::max();

}  // namespace fantail
