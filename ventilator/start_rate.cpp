#include "ventilator/start_rate.h"

#include <algorithm>
#include <cmath>

namespace fantail {

namespace {

// A twentieth of a second's jobs at most come sooner after each other than they should.
constexpr Duration kCaughtUp = std::chrono::milliseconds(50);

double microseconds(Instant instant) {
  return static_cast<double>(instant.time_since_epoch().count());
}

}  // namespace

double StartRate::due_us(Instant now) const {
  return std::max(due_us_, microseconds(now - kCaughtUp));
}

std::uint64_t StartRate::allowed(Instant now) const {
  if (!limits()) return UINT64_MAX;
  if (due_us_ == 0) return 1;
  const double late_us = microseconds(now) - due_us(now);
  return late_us < 0 ? 0 : static_cast<std::uint64_t>(late_us / interval_us_) + 1;
}

void StartRate::take(std::uint64_t jobs, Instant now) {
  if (!limits()) return;
  // Before the first job nothing was missed.
  if (due_us_ == 0) due_us_ = microseconds(now);
  due_us_ = due_us(now) + static_cast<double>(jobs) * interval_us_;
}

Instant StartRate::next_wake() const {
  if (!limits()) return kNever;
  return Instant(Duration(static_cast<Duration::rep>(std::ceil(due_us_))));
}

void StartRate::hash(StateHash& hash) const {
  if (limits()) hash.add(next_wake(), std::chrono::seconds(1));
}

}  // namespace fantail
