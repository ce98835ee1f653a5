#include "worker/thread_executor.h"

#include <algorithm>
#include <exception>

#include "pipeline/net/poller.h"

namespace fantail {

namespace {

// Very short jobs are taken from the queue several at a time: about so much work, and never more than the
// other slots would get.
constexpr double kTakeAheadUs = 100;
constexpr std::size_t kTakeMax = 256;
constexpr double kNewestWeight = 0.1;

}  // namespace

ThreadExecutor::ThreadExecutor(std::uint32_t slots, MakeSyncProcessor make_processor)
    : make_processor_(std::move(make_processor)) {
  for (std::uint32_t index = 0; index < slots; ++index) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->thread = std::thread([this, slot = slots_.back().get()] { run(*slot); });
  }
}

ThreadExecutor::~ThreadExecutor() {
  {
    const std::lock_guard lock(mutex_);
    quits_ = true;
    for (const auto& slot : slots_)
      slot->stop.request_stop(StopReason::kCancelled);
  }
  work_.notify_all();
  for (const auto& slot : slots_)
    slot->thread.join();
}

void ThreadExecutor::set_run(const proto::KindSpec& spec) {
  const std::lock_guard lock(mutex_);
  ++generation_;
  spec_ = spec;
  stop_reason_ = StopReason::kNone;
  queue_.clear();
  completions_.clear();
  for (const auto& slot : slots_)
    slot->stop.request_stop(StopReason::kCancelled);
}

void ThreadExecutor::start(std::vector<AcceptedJob> jobs) {
  const Instant now = steady_now();
  {
    const std::lock_guard lock(mutex_);
    for (AcceptedJob& job : jobs)
      queue_.push_back({std::move(job), now});
  }
  if (jobs.size() == 1) {
    work_.notify_one();
  } else {
    work_.notify_all();
  }
}

std::vector<JobId> ThreadExecutor::drop_queued() {
  const std::lock_guard lock(mutex_);
  std::vector<JobId> dropped;
  for (const Queued& queued : queue_)
    dropped.push_back(queued.job.id);
  queue_.clear();
  return dropped;
}

void ThreadExecutor::stop_running(StopReason reason) {
  const std::lock_guard lock(mutex_);
  stop_reason_ = reason;
  for (const auto& slot : slots_)
    slot->stop.request_stop(reason);
}

std::uint64_t ThreadExecutor::running() {
  const std::lock_guard lock(mutex_);
  return running_;
}

void ThreadExecutor::collect(std::vector<Completion>& completions, std::vector<proto::HostEvent>&) {
  ready_.clear();
  const std::lock_guard lock(mutex_);
  completions.swap(completions_);
}

bool ThreadExecutor::take(Slot& slot, std::size_t limit, std::vector<Queued>& jobs, std::uint64_t& generation,
                          proto::KindSpec& spec) {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return quits_ || !queue_.empty(); });
  if (quits_) return false;
  const std::size_t share = std::max<std::size_t>(queue_.size() / (2 * slots_.size()), 1);
  const std::size_t count = std::min({queue_.size(), limit, share});
  for (std::size_t index = 0; index < count; ++index) {
    jobs.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  slot.stop.request_stop(stop_reason_);
  if (generation != generation_) spec = spec_;
  generation = generation_;
  ++running_;
  return true;
}

void ThreadExecutor::deliver(std::vector<Completion>& done, std::uint64_t generation) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    --running_;
    if (generation == generation_) {
      first = completions_.empty();
      std::move(done.begin(), done.end(), std::back_inserter(completions_));
    }
  }
  done.clear();
  if (first) ready_.signal();
}

void ThreadExecutor::run(Slot& slot) {
  std::unique_ptr<SyncProcessor> processor;
  std::uint64_t generation = 0;
  std::uint64_t processor_generation = 0;
  double mean_us = kTakeAheadUs;
  proto::KindSpec spec;
  std::vector<Queued> jobs;
  std::vector<Completion> done;
  while (true) {
    const auto limit =
        static_cast<std::size_t>(std::clamp(kTakeAheadUs / std::max(mean_us, 0.1), 1.0, double{kTakeMax}));
    if (!take(slot, limit, jobs, generation, spec)) return;
    if (generation != processor_generation) {
      processor = make_processor_(spec);
      processor_generation = generation;
    }
    Instant started = steady_now();
    for (Queued& queued : jobs) {
      Completion completion;
      const bool expired =
          queued.job.time_left.count() > 0 && started >= queued.arrived + queued.job.time_left;
      if (expired) {
        completion.result = JobResult::stopped(StopReason::kExpired);
      } else if (processor == nullptr) {
        completion.result = JobResult::failed("unknown_kind", "this worker does not know the kind");
      } else {
        try {
          completion.result = processor->process(queued.job.input, slot.stop);
        } catch (const std::exception& error) {
          completion.result = JobResult::failed("internal", error.what());
        }
      }
      const Instant ended = steady_now();
      completion.id = queued.job.id;
      completion.attempt = queued.job.attempt;
      completion.input = std::move(queued.job.input);
      completion.queued = started - queued.arrived;
      completion.duration = ended - started;
      mean_us += kNewestWeight * (static_cast<double>(completion.duration.count()) - mean_us);
      started = ended;
      done.push_back(std::move(completion));
    }
    deliver(done, generation);
    jobs.clear();
  }
}

}  // namespace fantail
