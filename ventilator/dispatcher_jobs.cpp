// The dispatcher's side towards jobs: credit, batches, and the jobs that a stopped run leaves over.
#include <algorithm>

#include "ventilator/dispatcher.h"

namespace fantail {

namespace {

// Above this many, unstarted jobs of a stopped run are only counted.
constexpr std::uint64_t kRowsOfUnstartedMax = 100000;
// Work that a worker has at hand beyond its slots. No job is to wait for long behind others while another
// worker is idle, so there is less of it where jobs are not short.
constexpr std::chrono::nanoseconds kAheadOfShortJobs = std::chrono::milliseconds(8);
constexpr std::chrono::nanoseconds kShortJob = std::chrono::milliseconds(2);
constexpr std::chrono::nanoseconds kAheadOfOthers = std::chrono::milliseconds(2);
constexpr std::uint64_t kAheadMax = 16384;
// Inputs in one lane message. Larger ones gain nothing, and memory and the largest message are bounded.
constexpr std::uint64_t kJobBatchBytesMax = 1 << 20;
constexpr int kSinkDeadAfterHeartbeats = 3;
// How far the frontier is written ahead: each step costs a write to storage, and after a restart the jobs
// below it wait until workers had time to say what they hold.
constexpr std::uint64_t kFrontierStepMin = 16384;
constexpr std::uint64_t kFrontierStepWindows = 4;

}  // namespace

bool Dispatcher::may_dispatch(Instant now) const {
  if (!sink_opened_ || paused_ || stop_level_ != proto::STOP_NONE || sink_exit_code_) return false;
  // Without the sink nothing can become done: hold still.
  return sink_heard_ + kSinkDeadAfterHeartbeats * policy_.heartbeat >= now;
}

// How many more jobs may start now. What a former life dispatched may still run.
std::uint64_t Dispatcher::room(Instant now) const {
  std::uint64_t room = rate_.allowed(now);
  if (policy_.max_running > 0) {
    const std::uint64_t running = slots_.running + undecided_.size();
    room = std::min(room, policy_.max_running - std::min(policy_.max_running, running));
  }
  return room;
}

Duration Dispatcher::timeout() const {
  if (policy_.timeout_percent == 0) return policy_.timeout;
  return median_ * policy_.timeout_percent / 100;
}

// How many jobs the worker may hold unfinished: one in each slot, and enough beyond that to cover a round
// trip. The shorter the jobs, the more; near the end of the input less, so that nobody sits on the last ones.
std::uint64_t Dispatcher::window(const Worker& worker) const {
  // A job at hand would keep its host's permit, and those in the slots might wait for just that one.
  if (policy_.hosts.limits() || policy_.paced()) return worker.slots;
  // In a race it might be the winner of those in the slots, for which it would wait.
  const proto::Halt& halt = spec_.policy().halt();
  if (halt.what() == proto::Halt::OK && halt.level() == proto::STOP_RUNNING) return worker.slots;
  // A straggler is not to hold up others that wait behind it: who is hedged gets only short jobs ahead.
  const std::uint64_t least = hedging_.on() ? 0 : 1;
  std::uint64_t ahead = least;
  if (worker.mean_job_ns > 0) {
    const bool is_short = std::chrono::nanoseconds(worker.mean_job_ns) <= kShortJob;
    const std::chrono::nanoseconds target = is_short ? kAheadOfShortJobs : kAheadOfOthers;
    const std::uint64_t target_ns = static_cast<std::uint64_t>(target.count()) * worker.slots;
    ahead = std::clamp<std::uint64_t>(target_ns / worker.mean_job_ns, least, kAheadMax);
  }
  if (ahead > 1 && closed_) {
    const std::uint64_t share = pending() / (2 * std::max<std::uint64_t>(workers_.size(), 1));
    ahead = std::clamp<std::uint64_t>(share, 1, ahead);
  }
  return worker.slots + ahead;
}

std::uint64_t Dispatcher::free_credit(const Worker& worker, bool ahead) const {
  if (!worker.open || worker.draining || worker.blocked || worker.alone) return 0;
  const std::uint64_t limit = ahead ? window(worker) : worker.slots;
  const std::uint64_t outstanding = worker.outstanding();
  if (outstanding >= limit) return 0;
  const std::uint64_t free = limit - outstanding;
  // Many short jobs travel in batches: wait until a quarter of the window is free, unless a slot is.
  if (ahead && outstanding >= worker.slots && free < (limit - worker.slots) / 4) return 0;
  return free;
}

void Dispatcher::dispatch(Instant now, DispatchOutbox& out) {
  if (policy_.hosts.limits()) grant_permits(now, out);
  if (!may_dispatch(now) || pending() + retry_queue_.size() == 0) return;
  dispatch_suspects(now, out);
  dispatch_retries(now, out);
  // First every free slot, then what the workers have at hand beyond their slots.
  for (const bool ahead : {false, true}) {
    bool progress = true;
    while (progress && pending() > 0) {
      progress = false;
      for (auto worker = workers_.begin(); worker != workers_.end() && pending() > 0; ++worker) {
        if (serve(worker, ahead, now, out)) progress = true;
      }
    }
  }
}

// What one worker finished makes room at this one alone.
void Dispatcher::dispatch_to(Workers::iterator worker, Instant now, DispatchOutbox& out) {
  if (policy_.hosts.limits() || !suspects_.empty() || retry_queue_.size() > 0) return dispatch(now, out);
  if (!may_dispatch(now)) return;
  for (const bool ahead : {false, true}) {
    while (pending() > 0 && serve(worker, ahead, now, out)) {
    }
  }
}

void Dispatcher::grant_permits(Instant now, DispatchOutbox& out) {
  while (const auto grant = hosts_.take_grant(now)) {
    const WorkerId asker = askers_[grant->job];
    askers_.erase(grant->job);
    send_permit(asker, grant->job, grant->host, out);
    // It runs a job that was given to another one meanwhile, or is done. It cannot be told to stop and would
    // wait for ever; nobody would give the permit back.
    if (leases_.holder(grant->job) != asker) hosts_.on_finished(grant->job, now);
  }
}

void Dispatcher::send_permit(const WorkerId& id, JobId job, const std::string& host,
                             DispatchOutbox& out) const {
  proto::VentilatorToWorker message;
  message.set_epoch(epoch_);
  message.mutable_permit()->set_run_id(spec_.run_id());
  message.mutable_permit()->set_job(job);
  message.mutable_permit()->set_host(host);
  out.send_to_worker(id, message);
}

bool Dispatcher::serve(Workers::iterator entry, bool ahead, Instant now, DispatchOutbox& out) {
  if (has_long_jobs(entry->second)) return false;
  const std::uint64_t credit = std::min(free_credit(entry->second, ahead), room(now));
  if (credit == 0) return false;
  LaneBatch batch;
  if (const auto job = take_longest(entry->second)) {
    batch.jobs = {{*job, *job + 1}};
  } else {
    batch.jobs = take_pending(std::min<std::uint64_t>(credit, policy_.batch_jobs_max), now, out);
  }
  if (batch.jobs.empty() || !advance_frontier(batch.jobs, now, out)) return false;
  send(entry, std::move(batch), now, out);
  return true;
}

bool Dispatcher::advance_frontier(const std::vector<JobSpan>& jobs, Instant now, DispatchOutbox& out) {
  JobId end = 0;
  for (const JobSpan& span : jobs)
    end = std::max(end, span.end);
  if (end <= frontier_) return true;
  std::uint64_t step = 0;
  for (const auto& [id, worker] : workers_)
    step += kFrontierStepWindows * window(worker);
  // Also ahead of what is there: jobs that come one by one are not to cost a write each.
  const JobId ahead = end + std::max(step, kFrontierStepMin);
  if (out.advance_frontier(ahead)) {
    frontier_ = ahead;
    return true;
  }
  for (const JobSpan& span : jobs)
    make_pending(span, 1, now, out);
  return false;
}

void Dispatcher::send(Workers::iterator entry, LaneBatch batch, Instant now, DispatchOutbox& out) {
  batch.sequence = entry->second.next_sequence;
  for (const JobSpan& span : batch.jobs)
    lease(span, entry->first, batch, now);
  send_batch(entry, std::move(batch), now, out);
}

void Dispatcher::send_batch(Workers::iterator entry, LaneBatch batch, Instant now, DispatchOutbox& out) {
  Worker& worker = entry->second;
  batch.sequence = worker.next_sequence++;
  batch.timeout = timeout();
  if (deadline_at_) batch.time_left = std::max(*deadline_at_ - now, Duration{1});
  const std::uint64_t count = batch.count();
  worker.in_flight.push_back({batch.sequence, count, now});
  worker.sent_jobs += count;
  rate_.take(count, now);
  count_slots(worker);
  if (!first_dispatch_) {
    first_dispatch_ = now;
    facts_changed_ = true;
    measure_slots(now);
  }
  out.send_jobs(entry->first, batch);
}

// A lease has one attempt: jobs that were dispatched before are leased apart.
void Dispatcher::lease(JobSpan span, const WorkerId& worker, LaneBatch& batch, Instant now) {
  if (attempts_.empty()) {
    leases_.add({span, worker, batch.sequence, 1, now});
    return;
  }
  while (span.first < span.end) {
    const auto again = attempts_.lower_bound(span.first);
    const bool first_try = again == attempts_.end() || again->first > span.first;
    JobSpan part{span.first, span.first + 1};
    if (first_try) part.end = again == attempts_.end() ? span.end : std::min(span.end, again->first);
    const std::uint32_t attempt = first_try ? 1 : again->second;
    leases_.add({part, worker, batch.sequence, attempt, now});
    batch.attempts.insert(batch.attempts.end(), part.size(), attempt);
    if (attempt > 1) retries_ += part.size();
    span.first = part.end;
  }
}

std::uint64_t LaneBatch::count() const {
  std::uint64_t count = 0;
  for (const JobSpan& span : jobs)
    count += span.size();
  return count;
}

void Dispatcher::on_longest(const std::vector<JobId>& jobs) {
  for (const JobId job : jobs) {
    if (!pending_.erase(job)) continue;
    long_.insert(job);
    longest_.push_back(job);
  }
}

// Whether each of its slots has one of the long jobs: what it got now would wait behind them.
bool Dispatcher::has_long_jobs(Worker& worker) {
  worker.long_jobs = std::min(worker.long_jobs, worker.outstanding());
  return worker.long_jobs >= worker.slots;
}

std::optional<JobId> Dispatcher::take_longest(Worker& worker) {
  while (!longest_.empty()) {
    const JobId job = longest_.front();
    longest_.pop_front();
    if (!long_.erase(job)) continue;  // done, or found with a worker
    ++worker.long_jobs;
    return job;
  }
  return std::nullopt;
}

std::vector<JobSpan> Dispatcher::take_pending(std::uint64_t limit, Instant now, DispatchOutbox& out) {
  if (policy_.hosts.limits()) {
    RangeSet jobs;
    while (jobs.size() < limit) {
      const std::optional<JobId> job = hosts_.take(now);
      if (!job) break;
      if (done_.contains(*job)) {
        hosts_.on_finished(*job, now);  // a late result came while it waited
      } else if (is_suspect(*job)) {
        // It may wait for long: others get the permit.
        hosts_.on_finished(*job, now);
        suspects_.insert(*job);
      } else {
        jobs.insert(*job);
      }
    }
    return jobs.spans();
  }
  std::vector<JobSpan> jobs;
  std::uint64_t bytes = kJobBatchBytesMax;
  while (limit > 0 && !pending_.empty()) {
    JobSpan span = pending_.take_first(limit);
    // One that is too large for any batch travels alone.
    const std::uint64_t fits = std::max<std::uint64_t>(out.fitting(span, bytes), jobs.empty() ? 1 : 0);
    const bool full = fits < span.size();
    if (full) {
      pending_.insert({span.first + fits, span.end});
      span.end = span.first + fits;
    }
    if (span.size() > 0) jobs.push_back(span);
    if (full) break;
    limit -= span.size();
  }
  return jobs;
}

void Dispatcher::make_pending(JobSpan jobs, std::uint32_t attempt, Instant now, DispatchOutbox& out) {
  if (!unwanted_.within(jobs).empty()) {
    for (const JobSpan& part : unwanted_.within(jobs))
      cancelled_.insert(part);
    cancelled_again_.at_once();
    for (const JobSpan& part : unwanted_.missing_from(jobs))
      make_pending(part, attempt, now, out);
    return;
  }
  const bool plain =
      !policy_.hosts.limits() && deaths_.lower_bound(jobs.first) == deaths_.lower_bound(jobs.end);
  if (plain) pending_.insert(jobs);
  for (JobId job = jobs.first; job < jobs.end && (attempt > 1 || !plain); ++job) {
    if (attempt > 1) attempts_[job] = attempt;
    if (policy_.hosts.limits()) {
      hosts_.requeue(job, out.host_of(job), now, pending_.priority_of(job));
    } else if (!plain) {
      is_suspect(job) ? void(suspects_.insert(job)) : pending_.insert(job);
    }
  }
}

// Jobs of a stopped run that no worker holds are proposed to the sink, again and again until its log names
// them.
void Dispatcher::propose_stopped(Instant now, DispatchOutbox& out) {
  const Verdict verdict = stop_status() == Status::kExpired ? Verdict::kExpired : Verdict::kCancelled;
  RangeSet fresh = policy_.hosts.limits() ? hosts_.take_all() : RangeSet{};
  RangeSet retried = retry_queue_.take_all();
  for (const JobSpan& span : pending_.spans())
    fresh.insert(span);
  for (const RangeSet* waiting : {&long_, &suspects_, &retried}) {
    for (const JobSpan& span : waiting->spans())
      fresh.insert(span);
  }
  pending_.clear();
  long_.clear();
  suspects_.clear();
  if (fresh.size() > kRowsOfUnstartedMax) {
    for (const JobSpan& span : fresh.spans())
      without_rows_.insert(span);
    facts_changed_ = true;
  } else if (!fresh.empty()) {
    out.propose(fresh.spans(), verdict);
    if (proposed_.empty()) proposed_again_.start(now);
    for (const JobSpan& span : fresh.spans())
      proposed_.insert(span);
  }
  if (!proposed_.empty() && proposed_again_.due(now)) out.propose(proposed_.spans(), verdict);
}

}  // namespace fantail
