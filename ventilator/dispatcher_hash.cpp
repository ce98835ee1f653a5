// All that decides what the dispatcher does next, for a search over states.
#include "pipeline/state_hash.h"
#include "ventilator/dispatcher.h"

namespace fantail {

namespace {

// The longest that a stamp is waited for, where no heartbeats count.
constexpr Duration kSecond = std::chrono::seconds(1);
// Silence of so many heartbeats is a death, and all after it the same; so with the other waits.
constexpr int kSilentMost = 3;
constexpr int kLostAfterMost = 2;
constexpr int kUnopenedMost = 8;

}  // namespace

std::uint64_t Dispatcher::hash() const {
  StateHash hash;
  add_to(hash);
  return hash.value();
}

void Dispatcher::add_to(StateHash& hash) const {
  hash.add_epoch(StateHash::Epoch::kVentilator, epoch_);
  add_jobs(hash);
  for (const auto& [id, worker] : workers_) {
    hash.add_name(id).add(worker.slots).add(worker.next_sequence).add(worker.received_sequence);
    hash.add(worker.unfinished).add(worker.sent_jobs).add(worker.in_flight.size()).add(worker.mean_job_ns);
    for (const Sent& sent : worker.in_flight)
      hash.add(sent.sequence).add(sent.jobs).add(sent.at, kLostAfterMost * policy_.heartbeat);
    hash.add_figure(worker.number).add_figure(worker.name);
    hash.add(worker.heard, kSilentMost * policy_.heartbeat);
    // How long it has waited matters until its lane is open.
    hash.add(worker.open ? Instant{} : worker.unconnected_since, kUnopenedMost * policy_.heartbeat);
    hash.add((worker.open ? 1 : 0) + (worker.draining ? 2 : 0) + (worker.blocked ? 4 : 0) +
             (worker.alone ? 8 : 0));
    hash.add(worker.long_jobs);
  }
  hash.add(workers_.size()).add(workers_ever_ > 0 ? 1 : 0);
  hash.add_figure(workers_ever_).add_figure(max_running_).add_figure(retries_).add_figure(retried_us_);
  hash.add_figure(first_dispatch_ ? 1 : 0).add_figure(first_dispatch_.value_or(Instant{}));
  add_end(hash);
  add_sink(hash);
}

void Dispatcher::add_jobs(StateHash& hash) const {
  hash.add(spooled_)
      .add(undecided_)
      .add(long_)
      .add(suspects_)
      .add(proposed_)
      .add(quarantined_)
      .add(unwanted_)
      .add(cancelled_)
      .add(done_);
  pending_.hash(hash);
  hash.add(groups_.size()).add(won_groups_.size());
  // A former life's frontier matters as long as its jobs are read back.
  hash.add(without_rows_).add(closed_ ? 0 : former_frontier_).add(frontier_).add(closed_ ? 1 : 0);
  hash.add(input_complete_ ? 1 : 0).add(skipped_);
  hash.add(longest_.size());
  for (const JobId job : longest_)
    hash.add(job);
  hosts_.hash(hash);
  rate_.hash(hash);
  retry_queue_.hash(hash);
  hash.add(given_up_.size()).add_figure(static_cast<std::uint64_t>(median_.count()));
  for (const auto& [job, attempt] : given_up_)
    hash.add(job).add(attempt.attempt());
  leases_.hash(hash);
  hedging_.hash(hash);
  hash.add_figure(hedged_at_);
  hash.add(limbo_.size());
  for (const Limbo& limbo : limbo_) {
    hash.add(limbo.jobs.first).add(limbo.jobs.end).add_distance(question_ + 1, limbo.question);
    hash.add_figure(limbo.next_attempt)
        .add((limbo.died ? 1 : 0) + (limbo.alone ? 2 : 0) + (limbo.elsewhere ? 4 : 0));
  }
  hash.add(deaths_.size()).add(askers_.size()).add_figure(attempts_.size());
  for (const auto& [job, deaths] : deaths_)
    hash.add(job).add(deaths.total).add(deaths.alone);
  for (const auto& [job, asker] : askers_)
    hash.add(job).add_name(asker);
  for (const auto& [job, attempt] : attempts_)
    hash.add_figure(job).add_figure(attempt);
  // When a ventilator began matters as long as it waits for those who hold its former life's jobs.
  const bool waits = !undecided_.empty() || policy_.wait != DispatchPolicy::kForever;
  hash.add(waits ? started_ : Instant{}, kSilentMost * policy_.heartbeat);
}

void Dispatcher::add_end(StateHash& hash) const {
  hash.add(paused_ ? 1 : 0)
      .add(static_cast<std::uint64_t>(stop_level_))
      .add(static_cast<std::uint64_t>(end_))
      .add(end_reason_);
  hash.add(stopped_at_, kSecond).add(proposed_.empty() ? Instant{} : proposed_again_.last(), kSecond);
  hash.add(quarantined_.empty() ? Instant{} : quarantined_again_.last(), kSecond);
  hash.add(given_up_.empty() ? Instant{} : given_up_again_.last(), kSecond);
  hash.add(cancelled_.empty() ? Instant{} : cancelled_again_.last(), kSecond);
  hash.add(deadline_at_ ? 1 : 0).add_figure(deadline_at_.value_or(Instant{}));
  hash.add(sink_exit_code_ ? 1 + static_cast<std::uint64_t>(*sink_exit_code_) : 0);
  hash.add(acknowledged_at_, 2 * kSecond);
  hash.add(exit_code_ ? 1 + static_cast<std::uint64_t>(*exit_code_) : 0);
}

void Dispatcher::add_sink(StateHash& hash) const {
  hash.add((sink_opened_ ? 1 : 0) + (sink_known_ ? 2 : 0) + (facts_changed_ ? 4 : 0));
  hash.add_epoch(StateHash::Epoch::kSink, sink_epoch_).add_epoch(StateHash::Epoch::kSink, newest_sink_);
  hash.add(log_offset_).add(won_offset_);
  hash.add_figure(dropped_.late).add_figure(dropped_.forged).add_figure(dropped_.stale);
  hash.add_figure(question_).add_distance(question_, answered_);
  hash.add(asked_at_, kSecond).add(sink_heard_, kSilentMost * policy_.heartbeat);
  hash.add(ticked_, policy_.heartbeat);
}

}  // namespace fantail
