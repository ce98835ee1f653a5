// How many jobs per second may start, over all workers: evenly apart, and what a short hold-up has cost is
// caught up. Knows no clock.
#pragma once

#include <cstdint>

#include "pipeline/instant.h"
#include "pipeline/state_hash.h"

namespace fantail {

class StartRate {
 public:
  explicit StartRate(double per_second) : interval_us_(per_second > 0 ? 1e6 / per_second : 0) {}

  bool limits() const { return interval_us_ > 0; }
  std::uint64_t allowed(Instant now) const;
  void take(std::uint64_t jobs, Instant now);
  Instant next_wake() const;  // when allowed() is above zero
  void hash(StateHash& hash) const;

 private:
  double due_us(Instant now) const;

  double interval_us_;  // 0: no limit
  double due_us_ = 0;   // when the next job is due
};

}  // namespace fantail
