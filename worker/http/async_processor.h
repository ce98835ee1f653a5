// A kind whose jobs wait for the network. Lives on the thread of one HttpLoop: every call comes from
// there, and every event goes out from there.
#pragma once

#include <cstdint>
#include <string>

#include "worker/processor.h"

namespace fantail {

class AsyncProcessor {
 public:
  virtual ~AsyncProcessor() = default;
  // Ends in exactly one AsyncEvents::on_finished, perhaps before it returns.
  virtual void start(AsyncJob job) = 0;
  // Tears the transfer down at once and answers JobResult::stopped(reason). An unknown ticket is ignored: its
  // job has finished meanwhile.
  virtual void stop(std::uint64_t ticket, StopReason reason) = 0;
  // Answers AsyncEvents::on_permit_wanted. A permit that nobody waits for is ignored.
  virtual void on_permit(std::uint64_t ticket, const std::string& host) = 0;
};

}  // namespace fantail
