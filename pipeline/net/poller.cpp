#include "pipeline/net/poller.h"

#include <algorithm>
#include <cerrno>

namespace fantail {

Instant steady_now() {
  timespec time = {};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::seconds(time.tv_sec) +
                                                      std::chrono::nanoseconds(time.tv_nsec)));
}

int poll_timeout_ms(Instant wake) {
  if (wake == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - steady_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

void Poller::wait_until(Instant wake) {
  // A wake-up that lies beyond a minute is looked at again in a minute.
  constexpr Duration kLongest = std::chrono::minutes(1);
  const Instant now = steady_now();
  const Duration left = wake > now + kLongest ? kLongest : std::max(wake - now, Duration{0});
  try {
    // Rounded up: waking a little late beats waking early and turning in vain.
    zmq::poll(items_, std::chrono::ceil<std::chrono::milliseconds>(left));
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) throw;
  }
}

}  // namespace fantail
