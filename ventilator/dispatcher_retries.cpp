// Attempts that failed: when their jobs are tried again, and on whom.
#include <algorithm>
#include <utility>

#include "ventilator/dispatcher.h"

namespace fantail {

namespace {

// How long a job that is due waits for another worker than the one at which it failed.
constexpr Duration kPreferOthersFor = std::chrono::milliseconds(100);
// How many jobs that are due are looked at before the others are.
constexpr std::size_t kLookAtMax = 64;

}  // namespace

void Dispatcher::on_failed(const WorkerId& id, const proto::JobsFailed& failed, Instant now,
                           DispatchOutbox& out) {
  if (failed.run_id() != spec_.run_id()) {
    ++dropped_.stale;
    return;
  }
  for (const proto::FailedAttempt& attempt : failed.attempts()) {
    if (attempt.job() >= spooled_) {
      ++dropped_.forged;
      continue;
    }
    // Of what was adopted the attempt is not known.
    const auto is_at = [&](const Lease& lease) {
      return lease.worker == id && (lease.sequence == 0 || lease.attempt == attempt.attempt());
    };
    const Hedging::Copy* copy = hedging_.find(attempt.job());
    const bool two = copy != nullptr && copy->held;
    if (two && is_at(copy->lease)) {
      hedging_.end(attempt.job(), now, duration_of(attempt.duration_us()));
      continue;
    }
    const std::vector<Lease> held = leases_.take({attempt.job(), attempt.job() + 1});
    if (held.empty() || !is_at(held.front())) {
      ++dropped_.late;
      for (const Lease& lease : held)
        leases_.add(lease);
    } else if (two) {
      leases_.add(*hedging_.promote(attempt.job(), now));
      hedging_.add_lost(duration_of(attempt.duration_us()));
    } else {
      retry(id, attempt, now, out);
    }
  }
}

void Dispatcher::retry(const WorkerId& id, const proto::FailedAttempt& attempt, Instant now,
                       DispatchOutbox& out) {
  const JobId job = attempt.job();
  hosts_.on_finished(job, now);
  hedging_.forget(job);
  attempts_[job] = attempt.attempt() + 1;
  if (unwanted_.contains(job)) {
    cancelled_.insert(job);
    cancelled_again_.at_once();
    return;
  }
  // Where runs are hedged workers leave it to the ventilator what is final.
  const bool is_last = !attempt.passing() || attempt.attempt() >= spec_.policy().attempts() || stopped();
  proto::FailedAttempt told = attempt;
  told.set_worker_id(id);
  if (hedging_.on() && is_last) return give_up(std::move(told), "", now, out);
  const Duration asked = retry_after(attempt.retry_after_us());
  const bool too_late = std::cmp_greater(attempt.retry_after_us(), kRetryAfterMost.count());
  const Instant due = now + std::max(asked, backoff(policy_.backoff, spec_.run_id(), job, attempt.attempt()));
  if (!too_late && (!deadline_at_ || due < *deadline_at_)) {
    retry_queue_.add(job, due, id);
    retried_us_ += attempt.duration_us();
    return;
  }
  give_up(std::move(told),
          too_late ? "; another attempt is not wanted for more than an hour"
                   : "; another attempt would come after the run's deadline",
          now, out);
}

void Dispatcher::give_up(proto::FailedAttempt attempt, const char* why, Instant now, DispatchOutbox& out) {
  attempt.set_message(attempt.message() + why);
  if (given_up_.empty()) given_up_again_.start(now);
  if (sink_opened_) out.propose_failed(attempt);
  given_up_[attempt.job()] = std::move(attempt);
}

// Again and again, until the sink's log names them.
void Dispatcher::propose_given_up(Instant now, DispatchOutbox& out) {
  if (given_up_.empty() || !sink_opened_ || !given_up_again_.due(now)) return;
  for (const auto& [job, attempt] : given_up_)
    out.propose_failed(attempt);
}

void Dispatcher::dispatch_retries(Instant now, DispatchOutbox& out) {
  if (retry_queue_.next_wake() > now) return;
  for (const RetryQueue::Due& due : retry_queue_.due(now, kLookAtMax)) {
    const JobSpan job{due.job, due.job + 1};
    if (policy_.hosts.limits() || is_suspect(due.job)) {
      retry_queue_.take(job);
      make_pending(job, 1, now, out);
      continue;
    }
    if (room(now) == 0) return;
    const auto worker = free_worker_for(due, now);
    if (worker == workers_.end()) continue;
    retry_queue_.take(job);
    LaneBatch batch;
    batch.jobs = {job};
    send(worker, std::move(batch), now, out);
  }
}

Dispatcher::Workers::iterator Dispatcher::free_worker_for(const RetryQueue::Due& due, Instant now) {
  auto same = workers_.end();
  for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
    if (free_credit(worker->second, false) == 0) continue;
    if (worker->first != due.failed_at) return worker;
    same = worker;
  }
  const bool waited = workers_.size() == 1 || now >= due.at + kPreferOthersFor;
  return waited ? same : workers_.end();
}

}  // namespace fantail
