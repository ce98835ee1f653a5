// Which job a slot is at, so that this one can be stopped and never the next. The slot's thread calls begin()
// and end(), another one claim(). It costs the slot an atomic store and an exchange a job, and no lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "pipeline/range_set.h"

namespace fantail {

class SlotJob {
 public:
  // Requires: a job id as messages may carry it, which leaves the highest bit free.
  void begin(JobId job) { state_.store(job << 1, std::memory_order_release); }
  // Whether somebody claimed the job: what was asked of the slot on its behalf is to be taken back.
  bool end() {
    const std::uint64_t state = state_.exchange(kNone, std::memory_order_acq_rel);
    return (state & kClaimed) != 0;
  }
  // Whether the slot is at one of these jobs; then its end() tells so.
  bool claim(const RangeSet& jobs) {
    std::uint64_t state = state_.load(std::memory_order_acquire);
    if (state == kNone || (state & kClaimed) != 0 || !jobs.contains(state >> 1)) return false;
    return state_.compare_exchange_strong(state, state | kClaimed, std::memory_order_acq_rel);
  }

 private:
  static constexpr std::uint64_t kClaimed = 1;
  static constexpr std::uint64_t kNone = UINT64_MAX - 1;

  std::atomic<std::uint64_t> state_{kNone};
};

}  // namespace fantail
