// The executor of synchronous kinds: one thread a slot, each with a processor of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "pipeline/app/wake_event.h"
#include "worker/executor.h"
#include "worker/outstanding_output.h"
#include "worker/processor.h"
#include "worker/slot_job.h"

namespace fantail {

using MakeSyncProcessor = std::function<std::unique_ptr<SyncProcessor>(const proto::RunSpec&)>;

class ThreadExecutor : public Executor {
 public:
  ThreadExecutor(std::uint32_t slots, MakeSyncProcessor make_processor);
  ~ThreadExecutor() override;

  void set_run(const proto::RunSpec& spec) override;
  void start(JobSlice jobs) override;
  std::vector<JobId> drop_queued() override;
  void stop_running(StopReason reason) override;
  std::vector<JobId> cancel(const RangeSet& jobs) override;
  Instant stop_overdue(Instant now) override;
  void permit(JobId, const std::string&) override {}
  Load load() override;
  void allot(std::uint32_t slots) override;
  void collect(std::vector<proto::Results>& completions, std::vector<proto::HostEvent>& events) override;
  int descriptor() const override { return ready_.descriptor(); }
  std::vector<proto::JobOutput> collect_outputs() override;
  void output_durable(JobId job, std::uint64_t bytes) override;

 private:
  struct Queued {
    JobSlice jobs;
    Instant arrived;
  };
  struct Slot {
    std::uint32_t number = 1;
    StopToken stop;
    SlotJob job;
    Instant overdue_at = kNever;  // the job in it, under mutex_
    WakeEvent durable;            // some output is
    std::thread thread;
  };
  // The output of the job in a slot.
  class SlotOutput;

  void run(Slot& slot);
  // Blocks until there is work; empty: the executor is going down. Meanwhile a processor whose run is over or
  // stopped goes: what it holds, such as a process, is of no more use.
  std::optional<Queued> take(Slot& slot, std::size_t limit, std::unique_ptr<SyncProcessor>& processor,
                             std::uint64_t& generation, proto::RunSpec& spec);
  void process(Queued work, SyncProcessor* processor, Slot& slot, std::uint64_t generation, double& mean_us);
  JobResult process_one(const SyncJob& job, SyncProcessor* processor, const StopToken& stop);
  void begin_timeout(Slot& slot, Instant overdue_at);
  void end_timeout(Slot& slot);
  void end_cancellation(Slot& slot);
  void deliver(proto::Results done, bool slot_is_free, std::uint64_t generation);
  // Whether the job's result has to wait for its output.
  bool waits_for_output(JobId job, std::uint64_t generation);
  // All three under mutex_. complete, tell: whether the session's thread has to be woken.
  bool complete(proto::Results done);
  bool results_are_due() const;
  bool tell();
  bool has_room(JobId job, std::uint64_t generation);
  void send_output(proto::JobOutput piece, std::uint64_t generation);

  MakeSyncProcessor make_processor_;
  WakeEvent ready_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Queued> queue_;
  std::size_t queued_ = 0;  // jobs in queue_
  std::vector<proto::Results> completions_;
  std::size_t completed_ = 0;  // jobs in completions_
  bool told_ = false;          // the session's thread knows of them
  Instant collected_at_{};     // the last of them
  std::vector<proto::JobOutput> outputs_;
  OutstandingOutput outstanding_;
  std::unordered_map<JobId, proto::Results> held_back_;  // by the one job in it: its output is not durable
  proto::RunSpec spec_;
  std::uint64_t generation_ = 0;  // of the run; what an older one brings is dropped
  StopReason stop_reason_ = StopReason::kNone;
  std::uint64_t running_ = 0;
  std::uint64_t allotted_ = std::numeric_limits<std::uint32_t>::max();
  std::uint64_t timed_ = 0;  // of these, jobs with a timeout
  bool quits_ = false;
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace fantail
