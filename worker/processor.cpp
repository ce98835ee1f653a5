#include "worker/processor.h"

#include <cassert>

namespace fantail {

JobResult JobResult::stopped(StopReason reason) {
  assert(reason != StopReason::kNone);
  if (reason == StopReason::kExpired) {
    return {Status::kExpired, "expired", "the run's deadline passed", {}};
  }
  return {Status::kCancelled, "cancelled", "cancelled while running", {}};
}

}  // namespace fantail
