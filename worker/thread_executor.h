// The executor of synchronous kinds: one thread a slot, each with a processor of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "pipeline/app/wake_event.h"
#include "worker/executor.h"
#include "worker/processor.h"

namespace fantail {

using MakeSyncProcessor = std::function<std::unique_ptr<SyncProcessor>(const proto::KindSpec&)>;

class ThreadExecutor : public Executor {
 public:
  ThreadExecutor(std::uint32_t slots, MakeSyncProcessor make_processor);
  ~ThreadExecutor() override;

  void set_run(const proto::KindSpec& spec) override;
  void start(JobSlice jobs) override;
  std::vector<JobId> drop_queued() override;
  void stop_running(StopReason reason) override;
  void permit(JobId, const std::string&) override {}
  std::uint64_t running() override;
  void collect(std::vector<proto::Results>& completions, std::vector<proto::HostEvent>& events) override;
  int descriptor() const override { return ready_.descriptor(); }

 private:
  struct Queued {
    JobSlice jobs;
    Instant arrived;
  };
  struct Slot {
    StopToken stop;
    std::thread thread;
  };

  void run(Slot& slot);
  // Blocks until there is work; empty: the executor is going down.
  std::optional<Queued> take(Slot& slot, std::size_t limit, std::uint64_t& generation, proto::KindSpec& spec);
  void process(Queued work, SyncProcessor* processor, Slot& slot, std::uint64_t generation, double& mean_us);
  void deliver(proto::Results done, bool slot_is_free, std::uint64_t generation);

  MakeSyncProcessor make_processor_;
  WakeEvent ready_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Queued> queue_;
  std::size_t queued_ = 0;  // jobs in queue_
  std::vector<proto::Results> completions_;
  proto::KindSpec spec_;
  std::uint64_t generation_ = 0;  // of the run; what an older one brings is dropped
  StopReason stop_reason_ = StopReason::kNone;
  std::uint64_t running_ = 0;
  bool quits_ = false;
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace fantail
