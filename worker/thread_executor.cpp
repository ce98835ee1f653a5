#include "worker/thread_executor.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "pipeline/net/poller.h"
#include "worker/completion.h"

namespace fantail {

namespace {

// Very short jobs are taken from the queue several at a time: about so much work, and never more than the
// other slots would get.
constexpr double kTakeAheadUs = 100;
constexpr std::size_t kTakeMax = 4096;
// Large results do not wait for the rest of what was taken.
constexpr std::size_t kDeliverBytes = 1 << 20;
constexpr double kNewestBatchWeight = 0.1;
// While more jobs are queued than results wait nobody waits for them: those of so long leave together, since
// every message wakes three processes.
constexpr Duration kCollectEvery = std::chrono::milliseconds(4);
// A slot may have got a job with a timeout meanwhile.
constexpr Duration kLookAtTimeouts = std::chrono::milliseconds(20);

}  // namespace

class ThreadExecutor::SlotOutput : public OutputChannel {
 public:
  SlotOutput(ThreadExecutor& executor, Slot& slot, const JobView& job, std::uint64_t generation)
      : executor_(executor), slot_(slot), job_(job.id), attempt_(job.attempt), generation_(generation) {}

  bool has_room() override {
    slot_.durable.clear();
    return executor_.has_room(job_, generation_);
  }
  int descriptor() const override { return slot_.durable.descriptor(); }
  void send(proto::JobOutput piece) override {
    piece.set_job(job_);
    piece.set_attempt(attempt_);
    executor_.send_output(std::move(piece), generation_);
    sent_ = true;
  }
  bool sent() const { return sent_; }

 private:
  ThreadExecutor& executor_;
  Slot& slot_;
  JobId job_;
  std::uint32_t attempt_;
  std::uint64_t generation_;
  bool sent_ = false;
};

ThreadExecutor::ThreadExecutor(std::uint32_t slots, MakeSyncProcessor make_processor)
    : make_processor_(std::move(make_processor)) {
  for (std::uint32_t index = 0; index < slots; ++index) {
    slots_.push_back(std::make_unique<Slot>());
    slots_.back()->number = index + 1;
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

void ThreadExecutor::set_run(const proto::RunSpec& spec) {
  const std::lock_guard lock(mutex_);
  ++generation_;
  spec_ = spec;
  stop_reason_ = StopReason::kNone;
  queue_.clear();
  queued_ = 0;
  completions_.clear();
  completed_ = 0;
  told_ = false;
  outputs_.clear();
  outstanding_.clear();
  held_back_.clear();
  for (const auto& slot : slots_)
    slot->stop.request_stop(StopReason::kCancelled);
  work_.notify_all();
}

void ThreadExecutor::start(JobSlice jobs) {
  const Instant now = steady_now();
  const std::uint32_t count = jobs.size();
  {
    const std::lock_guard lock(mutex_);
    queued_ += count;
    queue_.push_back({std::move(jobs), now});
  }
  if (count == 1) {
    work_.notify_one();
  } else {
    work_.notify_all();
  }
}

std::vector<JobId> ThreadExecutor::drop_queued() {
  const std::lock_guard lock(mutex_);
  std::vector<JobId> dropped;
  for (Queued& queued : queue_) {
    while (queued.jobs.size() > 0)
      dropped.push_back(queued.jobs.next().id);
  }
  queue_.clear();
  queued_ = 0;
  return dropped;
}

void ThreadExecutor::stop_running(StopReason reason) {
  const std::lock_guard lock(mutex_);
  stop_reason_ = reason;
  for (const auto& slot : slots_)
    slot->stop.request_stop(reason);
  work_.notify_all();
}

std::vector<JobId> ThreadExecutor::cancel(const RangeSet& jobs) {
  const std::lock_guard lock(mutex_);
  std::vector<JobId> dropped;
  std::deque<Queued> kept;
  queued_ = 0;
  for (Queued& queued : queue_) {
    while (queued.jobs.size() > 0) {
      // Stretches of jobs that stay, and between them those that go.
      std::uint32_t stay = 0;
      while (stay < queued.jobs.size() && !jobs.contains(queued.jobs.id(stay)))
        ++stay;
      if (stay > 0) kept.push_back({queued.jobs.take_front(stay), queued.arrived});
      queued_ += stay;
      while (queued.jobs.size() > 0 && jobs.contains(queued.jobs.id(0)))
        dropped.push_back(queued.jobs.next().id);
    }
  }
  queue_ = std::move(kept);
  for (const auto& slot : slots_) {
    if (slot->job.claim(jobs)) slot->stop.request_stop(StopReason::kCancelled);
  }
  return dropped;
}

Executor::Load ThreadExecutor::load() {
  const std::lock_guard lock(mutex_);
  return {queued_, running_};
}

void ThreadExecutor::allot(std::uint32_t slots) {
  {
    const std::lock_guard lock(mutex_);
    allotted_ = slots;
  }
  work_.notify_all();
}

// With a timeout a job costs two locks more: so that it is never the next one that is stopped.
void ThreadExecutor::begin_timeout(Slot& slot, Instant overdue_at) {
  const std::lock_guard lock(mutex_);
  slot.overdue_at = overdue_at;
  ++timed_;
}

void ThreadExecutor::end_timeout(Slot& slot) {
  const std::lock_guard lock(mutex_);
  slot.overdue_at = kNever;
  --timed_;
  if (slot.stop.reason() == StopReason::kTimedOut) slot.stop.request_stop(stop_reason_);
}

// By now whoever claimed the job has told the slot so: that is done under the lock.
void ThreadExecutor::end_cancellation(Slot& slot) {
  const std::lock_guard lock(mutex_);
  slot.stop.request_stop(stop_reason_);
}

Instant ThreadExecutor::stop_overdue(Instant now) {
  const std::lock_guard lock(mutex_);
  for (const auto& slot : slots_) {
    if (slot->overdue_at <= now && !slot->stop.stop_requested())
      slot->stop.request_stop(StopReason::kTimedOut);
  }
  const Instant overdue = timed_ > 0 ? now + kLookAtTimeouts : kNever;
  if (results_are_due()) return now;
  const bool results_may_wait = !queue_.empty() && now < collected_at_ + kCollectEvery;
  return results_may_wait ? std::min(overdue, collected_at_ + kCollectEvery) : overdue;
}

void ThreadExecutor::collect(std::vector<proto::Results>& completions, std::vector<proto::HostEvent>&) {
  ready_.clear();
  const std::lock_guard lock(mutex_);
  told_ = false;
  if (!results_are_due()) return;
  completions.swap(completions_);
  completed_ = 0;
  collected_at_ = steady_now();
}

std::optional<ThreadExecutor::Queued> ThreadExecutor::take(Slot& slot, std::size_t limit,
                                                           std::unique_ptr<SyncProcessor>& processor,
                                                           std::uint64_t& generation, proto::RunSpec& spec) {
  std::unique_lock lock(mutex_);
  while (!quits_ && (queue_.empty() || running_ >= allotted_)) {
    if (processor != nullptr && (stop_reason_ != StopReason::kNone || generation != generation_)) {
      lock.unlock();
      processor.reset();
      lock.lock();
    } else {
      work_.wait(lock);
    }
  }
  if (quits_) return std::nullopt;
  const std::size_t share = std::max<std::size_t>(queued_ / (2 * slots_.size()), 1);
  Queued& front = queue_.front();
  const auto count = static_cast<std::uint32_t>(std::min({std::size_t{front.jobs.size()}, limit, share}));
  Queued taken{front.jobs.take_front(count), front.arrived};
  if (front.jobs.size() == 0) queue_.pop_front();
  queued_ -= count;
  const bool tells = tell();
  slot.stop.request_stop(stop_reason_);
  if (generation != generation_) spec = spec_;
  generation = generation_;
  ++running_;
  lock.unlock();
  if (tells) ready_.signal();
  return taken;
}

void ThreadExecutor::deliver(proto::Results done, bool slot_is_free, std::uint64_t generation) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (slot_is_free) --running_;
    if (generation == generation_ && done.count() > 0) first = complete(std::move(done));
  }
  if (first) ready_.signal();
}

bool ThreadExecutor::complete(proto::Results done) {
  if (done.count() == 1 && outstanding_.of(done.jobs(0)) > 0) {
    held_back_[done.jobs(0)] = std::move(done);
    return false;
  }
  completed_ += done.count();
  completions_.push_back(std::move(done));
  return tell();
}

bool ThreadExecutor::results_are_due() const {
  return completed_ > 0 && (completed_ >= queued_ || steady_now() >= collected_at_ + kCollectEvery);
}

bool ThreadExecutor::tell() {
  return results_are_due() && !std::exchange(told_, true);
}

bool ThreadExecutor::waits_for_output(JobId job, std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  return generation == generation_ && outstanding_.of(job) > 0;
}

bool ThreadExecutor::has_room(JobId job, std::uint64_t generation) {
  const std::lock_guard lock(mutex_);
  return generation != generation_ || outstanding_.has_room(job);
}

void ThreadExecutor::send_output(proto::JobOutput piece, std::uint64_t generation) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    outstanding_.add(piece.job(), piece.data().size());
    outputs_.push_back(std::move(piece));
    first = outputs_.size() == 1;
  }
  if (first) ready_.signal();
}

std::vector<proto::JobOutput> ThreadExecutor::collect_outputs() {
  const std::lock_guard lock(mutex_);
  return std::exchange(outputs_, {});
}

void ThreadExecutor::output_durable(JobId job, std::uint64_t bytes) {
  bool completes = false;
  {
    const std::lock_guard lock(mutex_);
    outstanding_.remove(job, bytes);
    auto held_back = outstanding_.of(job) == 0 ? held_back_.extract(job) : decltype(held_back_)::node_type();
    if (held_back) completes = complete(std::move(held_back.mapped()));
  }
  if (completes) ready_.signal();
  for (const auto& slot : slots_)
    slot->durable.signal();
}

void ThreadExecutor::run(Slot& slot) {
  std::unique_ptr<SyncProcessor> processor;
  std::uint64_t generation = 0;
  std::uint64_t processor_generation = 0;
  double mean_us = kTakeAheadUs;
  proto::RunSpec spec;
  while (true) {
    const auto limit =
        static_cast<std::size_t>(std::clamp(kTakeAheadUs / std::max(mean_us, 0.01), 1.0, double{kTakeMax}));
    std::optional<Queued> work = take(slot, limit, processor, generation, spec);
    if (!work) return;
    if (processor == nullptr || generation != processor_generation) {
      processor.reset();
      processor = make_processor_(spec);
      processor_generation = generation;
    }
    process(std::move(*work), processor.get(), slot, generation, mean_us);
  }
}

JobResult ThreadExecutor::process_one(const SyncJob& job, SyncProcessor* processor, const StopToken& stop) {
  if (job.time_left && *job.time_left <= Duration{0}) return JobResult::stopped(StopReason::kExpired);
  if (processor == nullptr) return JobResult::failed("unknown_kind", "this worker does not take the kind");
  try {
    return processor->process(job, stop);
  } catch (const std::exception& error) {
    return JobResult::failed("internal", error.what());
  }
}

void ThreadExecutor::process(Queued work, SyncProcessor* processor, Slot& slot, std::uint64_t generation,
                             double& mean_us) {
  const Duration time_left = work.jobs.time_left();
  proto::Results done;
  JobSlice rest = work.jobs;
  std::uint32_t processed = 0;
  const Instant began = steady_now();
  Instant started = began;
  const auto deliver_front = [&] {
    append_jobs(done, work.jobs.take_front(done.count()));
    deliver(std::exchange(done, {}), false, generation);
  };
  while (rest.size() > 0) {
    const JobView view = rest.next();
    SlotOutput output(*this, slot, view, generation);
    SyncJob job{view.input, view.id, view.attempt, slot.number, std::nullopt, &output};
    if (time_left.count() > 0) job.time_left = work.arrived + time_left - started;
    if (view.timeout.count() > 0) begin_timeout(slot, started + view.timeout);
    slot.job.begin(view.id);
    JobResult result = view.defect == nullptr ? process_one(job, processor, slot.stop)
                                              : JobResult::failed("invalid_input", *view.defect);
    if (slot.job.end()) end_cancellation(slot);
    if (view.timeout.count() > 0) end_timeout(slot);
    const Instant ended = steady_now();
    // A result that waits for its job's output waits alone.
    const bool waits = output.sent() && waits_for_output(job.id, generation);
    if (waits && done.count() > 0) deliver_front();
    append_result(done, view.submitted.size(), std::move(result), started - work.arrived, ended - started);
    started = ended;
    ++processed;
    if ((waits || done.payloads().data().size() > kDeliverBytes) && rest.size() > 0) deliver_front();
  }
  const double mean = static_cast<double>((started - began).count()) / processed;
  mean_us += kNewestBatchWeight * (mean - mean_us);
  append_jobs(done, work.jobs);
  deliver(std::move(done), true, generation);
}

}  // namespace fantail
