// Why running work has to stop. Set by the session's thread; a processor looks at every buffer, or polls.
#pragma once

#include <atomic>
#include <cstdint>

#include "pipeline/app/wake_event.h"

namespace fantail {

enum class StopReason : std::uint8_t { kNone = 0, kCancelled, kExpired, kTimedOut };

class StopToken {
 public:
  StopReason reason() const { return reason_.load(std::memory_order_relaxed); }
  bool stop_requested() const { return reason() != StopReason::kNone; }
  int descriptor() const { return requested_.descriptor(); }  // readable while a stop is requested
  // Not by two threads at once. kNone: the next job may run.
  void request_stop(StopReason reason) {
    const StopReason former = reason_.exchange(reason, std::memory_order_relaxed);
    if (reason != StopReason::kNone) {
      requested_.signal();
    } else if (former != StopReason::kNone) {
      requested_.clear();
    }
  }

 private:
  std::atomic<StopReason> reason_{StopReason::kNone};
  WakeEvent requested_;
};

}  // namespace fantail
