#include "worker/processor.h"

#include <algorithm>
#include <cassert>

namespace fantail {

namespace {

// What lies in the moment, the network or the machine, and not in the job.
constexpr std::string_view kPassing[] = {"timeout",   "dns",      "connect",      "read_error",
                                         "truncated", "io_error", "stale_handle", "out_of_descriptors",
                                         "exit",      "signal",   "crashed",      "changed_while_reading"};

}  // namespace

JobResult JobResult::failed(std::string code, std::string message, std::string payload) {
  const bool passing = std::find(std::begin(kPassing), std::end(kPassing), code) != std::end(kPassing);
  return {Status::kFailed, std::move(code), std::move(message), std::move(payload), passing};
}

JobResult JobResult::stopped(StopReason reason) {
  assert(reason != StopReason::kNone);
  if (reason == StopReason::kTimedOut) return failed("timeout", "it took longer than --timeout allows");
  if (reason == StopReason::kExpired) {
    return {Status::kExpired, "expired", "the run's deadline passed", {}, false};
  }
  return {Status::kCancelled, "cancelled", "cancelled while running", {}, false};
}

}  // namespace fantail
