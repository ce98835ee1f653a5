// Runs jobs in a bounded number of slots. The session's thread hands jobs in and collects what came of them;
// how they run is the executor's business: threads, or one event loop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages.pb.h"
#include "pipeline/instant.h"
#include "worker/job_slice.h"
#include "worker/processor.h"

namespace fantail {

class Executor {
 public:
  virtual ~Executor() = default;
  // All functions are called on the session's thread.
  virtual void set_run(const proto::RunSpec& spec) = 0;  // forgets all jobs of the former run
  virtual void start(JobSlice jobs) = 0;
  virtual std::vector<JobId> drop_queued() = 0;
  virtual void stop_running(StopReason reason) = 0;
  // Ends these jobs and no others: the answer is which of them no slot had started, and running ones are
  // told to stop.
  virtual std::vector<JobId> cancel(const RangeSet& jobs) = 0;
  // Stops what has run for longer than its timeout; returns when to look again, and to collect.
  virtual Instant stop_overdue(Instant now) = 0;
  virtual void permit(JobId job, const std::string& host) = 0;
  struct Load {
    std::uint64_t queued = 0;
    std::uint64_t running = 0;
  };
  virtual Load load() = 0;
  // No job starts while so many run. At first there is no such limit beside the number of slots.
  virtual void allot(std::uint32_t slots) = 0;
  // What happened since the last call; descriptor() becomes readable when there may be something.
  // completions: batches, see completion.h.
  virtual void collect(std::vector<proto::Results>& completions, std::vector<proto::HostEvent>& events) = 0;
  virtual int descriptor() const = 0;
  // What running jobs wrote, since the last call. A job whose output is not all durable does not complete.
  virtual std::vector<proto::JobOutput> collect_outputs() { return {}; }
  virtual void output_durable(JobId, std::uint64_t /*bytes*/) {}
};

}  // namespace fantail
