// Second copies of stragglers: who gets one, and what becomes of the job when either is over. The first lease
// of a job is among all others; only the second one is in hedging_.
#include <algorithm>

#include "pipeline/job_ranges.h"
#include "ventilator/dispatcher.h"

namespace fantail {

namespace {

// Stragglers are looked for so many times while a job becomes one.
constexpr int kLooks = 16;
constexpr Duration kLookApartLeast = std::chrono::milliseconds(1);
constexpr Duration kLookApartMost = std::chrono::milliseconds(100);
// A worker whose jobs take so many times longer is no help.
constexpr std::uint64_t kSlower = 2;

}  // namespace

// Only what would otherwise be idle is given to copies. Returns when to look again.
Instant Dispatcher::hedge(Instant now, DispatchOutbox& out) {
  while (const auto job = hedging_.too_expensive(now))
    hedging_.take_back(*job);
  tell_discarded(out);
  const auto patience = hedging_.patience();
  const bool idle = pending() == 0 && undecided_.empty() && retry_queue_.next_wake() > now;
  if (!patience || (!idle && !hedging_.any_held()) || slots_.running == 0) return kNever;
  const Duration apart = std::clamp(*patience / kLooks, kLookApartLeast, kLookApartMost);
  if (now < hedged_at_ + apart) return hedged_at_ + apart;
  hedged_at_ = now;
  if (!idle || !may_dispatch(now) || slots_.free == 0) return now + apart;
  for (const Lease& straggler : stragglers(now - *patience)) {
    if (room(now) == 0 || !hedging_.affords_copy(now)) break;
    const auto worker = free_worker_beside(straggler.worker);
    if (worker != workers_.end()) send_copy(straggler, worker, now, out);
  }
  return now + apart;
}

// Those that their workers have had since then at least, oldest first. A job that waits at its worker for
// others is as late as if it ran; long ones are not given ahead, so that it is rare. What has ended and is
// not named by the log yet is told apart by number only.
std::vector<Lease> Dispatcher::stragglers(Instant since) const {
  std::vector<Lease> found;
  const auto older = [](const Lease& a, const Lease& b) { return a.at < b.at; };
  for (const auto& [id, worker] : workers_) {
    std::uint64_t unfinished = worker.outstanding();
    if (unfinished == 0) continue;
    std::vector<Lease> held = leases_.of(id);
    std::stable_sort(held.begin(), held.end(), older);
    for (const Lease& lease : held) {
      if (lease.at > since || unfinished == 0) break;
      for (JobId job = lease.jobs.first; job < lease.jobs.end && unfinished > 0; ++job, --unfinished) {
        if (hedging_.find(job) != nullptr || deaths_.contains(job) || unwanted_.contains(job)) continue;
        found.push_back(lease);
        found.back().jobs = {job, job + 1};
      }
    }
  }
  std::stable_sort(found.begin(), found.end(), older);
  return found;
}

// The fastest.
Dispatcher::Workers::iterator Dispatcher::free_worker_beside(const WorkerId& holder) {
  const std::uint64_t unknown = UINT64_MAX;
  const auto time_of = [&](const Worker& worker) {
    return worker.mean_job_ns == 0 ? unknown : worker.mean_job_ns;
  };
  const std::uint64_t theirs = time_of(workers_.at(holder));
  auto best = workers_.end();
  for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
    if (worker->first == holder || free_credit(worker->second, false) == 0) continue;
    const std::uint64_t time = time_of(worker->second);
    if (theirs != unknown && time != unknown && time / kSlower > theirs) continue;
    if (best == workers_.end() || time < time_of(best->second)) best = worker;
  }
  return best;
}

void Dispatcher::send_copy(const Lease& lease, Workers::iterator worker, Instant now, DispatchOutbox& out) {
  Lease copy = lease;
  copy.worker = worker->first;
  copy.sequence = worker->second.next_sequence;
  copy.at = now;
  hedging_.add(copy);
  LaneBatch batch;
  batch.jobs = {lease.jobs};
  batch.copy = true;
  if (lease.attempt > 1) batch.attempts = {lease.attempt};
  send_batch(worker, std::move(batch), now, out);
}

void Dispatcher::tell_discarded(DispatchOutbox& out) {
  for (const WorkerId& worker : hedging_.take_untold()) {
    if (workers_.contains(worker)) send_pong(worker, out);
  }
}

// Also what a former life gave away twice: what the worker holds and is done.
void Dispatcher::put_discarded(const WorkerId& id, const RangeSet& holding, JobRanges* ranges) const {
  RangeSet discarded = hedging_.discarded_by(id);
  for (const JobSpan& span : holding.spans()) {
    for (const JobSpan& part : done_.within(span))
      discarded.insert(part);
  }
  put_ranges(discarded.spans(), ranges);
}

// Nobody is known to have these jobs any more, except for those that have a copy.
void Dispatcher::into_limbo(Limbo limbo, Instant now) {
  for (const JobId job : hedging_.within(limbo.jobs)) {
    const auto copy = hedging_.promote(job, now);
    if (!copy) continue;
    leases_.add(*copy);
    if (limbo.died) limbo_.push_back({copy->jobs, limbo.question, 1, true, false, true});
    Limbo before = limbo;
    before.jobs.end = job;
    if (before.jobs.size() > 0) limbo_.push_back(before);
    limbo.jobs.first = job + 1;
  }
  if (limbo.jobs.size() > 0) limbo_.push_back(limbo);
}

// What a worker holds and another one has as well was hedged in a former life, or given away again while it
// was out of reach. A third one is not wanted.
void Dispatcher::adopt_copies(const WorkerId& id, JobSpan held, Instant now) {
  for (const Lease& lease : leases_.within(held)) {
    if (lease.worker == id) continue;
    const JobSpan both{std::max(lease.jobs.first, held.first), std::min(lease.jobs.end, held.end)};
    for (JobId job = both.first; job < both.end; ++job) {
      const Hedging::Copy* copy = hedging_.find(job);
      const Lease also{{job, job + 1}, id, 0, lease.attempt, now};
      if (copy == nullptr) {
        hedging_.adopt(also);
      } else if (!copy->held || copy->lease.worker != id) {
        hedging_.discard(also);
      }
    }
  }
}

// The others that have a copy of them are to stop.
void Dispatcher::end_copies(JobSpan jobs, const RangeSet& by_copies, Instant now) {
  for (const JobId job : hedging_.within(jobs)) {
    const std::vector<Lease> held = leases_.take({job, job + 1});
    const auto lease = held.empty() ? std::nullopt : std::optional(held.front());
    hedging_.on_done(job, lease, by_copies.contains(job), now);
  }
}

}  // namespace fantail
