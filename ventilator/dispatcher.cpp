#include "ventilator/dispatcher.h"

#include <algorithm>
#include <utility>

namespace fantail {

namespace {

// Running work is told to stop at once; what a worker still holds this much later, nobody will bring.
constexpr Duration kAbortGrace = std::chrono::milliseconds(700);
constexpr Duration kAfterAcknowledgement = std::chrono::seconds(2);
constexpr Duration kDispatcherTickMax = std::chrono::milliseconds(100);
constexpr std::size_t kFewWorkers = 32;  // are looked at in every turn
constexpr Duration kLookPerWorker = std::chrono::microseconds(1);

}  // namespace

Dispatcher::Dispatcher(DispatchPolicy policy, proto::RunSpec spec, std::uint64_t epoch, Instant now,
                       FormerLife former)
    : policy_(std::move(policy)),
      spec_(std::move(spec)),
      epoch_(epoch),
      started_(now),
      hosts_(policy_.hosts),
      rate_(policy_.rate),
      hedging_(spec_.policy().has_hedge(), spec_.policy().hedge()),
      former_frontier_(former.frontier),
      frontier_(former.frontier),
      deaths_(std::move(former.deaths)),
      stop_level_(former.stop.level),
      end_(former.stop.end),
      end_reason_(std::move(former.stop.reason)),
      stopped_at_(now) {
  for (const auto& [job, deaths] : deaths_)
    attempts_[job] = deaths.total + 1;
}

void Dispatcher::on_spooled(std::uint64_t jobs, Instant now, DispatchOutbox& out) {
  if (closed_ || jobs == 0) return;
  const JobId first = std::exchange(spooled_, spooled_ + jobs);
  for (const JobSpan& open : done_.missing_from({first, spooled_})) {
    const JobId split = std::clamp(former_frontier_, open.first, open.end);
    if (open.first < split) undecided_.insert({open.first, split});
    if (split < open.end && !policy_.hosts.limits()) pending_.insert({split, open.end});
  }
  facts_changed_ = true;
  dispatch(now, out);
}

void Dispatcher::on_input_end(bool complete, std::uint64_t skipped, Instant now, DispatchOutbox& out) {
  skipped_ = skipped;
  if (closed_) return;
  closed_ = true;
  input_complete_ = complete;
  facts_changed_ = true;
  ask_sink(now, out);
}

void Dispatcher::stop(proto::RunEnd end, proto::StopLevel level, const std::string& reason, Instant now,
                      DispatchOutbox& out) {
  if (sink_exit_code_ || level <= stop_level_) return;
  if (end_ == proto::RUN_END_NONE) {
    end_ = end;
    end_reason_ = reason;
  }
  stop_level_ = level;
  stopped_at_ = now;
  out.record_stop({stop_level_, end_, end_reason_});
  if (!closed_) on_input_end(false, skipped_, now, out);
  facts_changed_ = true;
  if (level == proto::STOP_RUNNING) {
    for (const JobId job : hedging_.within({0, spooled_}))
      hedging_.take_back(job);
  }
  for (const auto& [id, worker] : workers_)
    send_pong(id, out);
  propose_stopped(now, out);
  ask_sink(now, out);
}

void Dispatcher::on_control(const WorkerId& client, const proto::RunControl& control, Instant now,
                            DispatchOutbox& out) {
  proto::VentilatorToWorker message;
  message.set_epoch(epoch_);
  proto::RunControlAnswer& answer = *message.mutable_answer();
  if (control.run_id() != spec_.run_id()) {
    answer.set_refusal("the ventilator works on another run");
  } else if (sink_exit_code_) {
    answer.set_refusal("the run is over");
  } else if (control.action() == proto::RunControl::CANCEL && control.jobs_size() > 0) {
    const RangeSet jobs = set_below(spooled_, control.jobs());
    cancel(jobs, now, out);
    for (const JobSpan& span : jobs.spans()) {
      for (const JobSpan& open : done_.missing_from(span))
        answer.set_not_ended(answer.not_ended() + open.size());
    }
    if (jobs.empty()) answer.set_refusal("it has no such job");
  } else if (control.action() == proto::RunControl::CANCEL) {
    stop(proto::RUN_END_CANCELLED, proto::STOP_RUNNING, "cancelled by fantail cancel", now, out);
  } else if (control.action() == proto::RunControl::PAUSE || control.action() == proto::RunControl::UNPAUSE) {
    pause(control.action() == proto::RunControl::PAUSE, now, out);
  } else {
    answer.set_refusal("the ventilator does not know this command: install the same release on both");
  }
  out.send_to_worker(client, message);
}

// A former life's pause is forgotten: nothing waits for ever for somebody who does not know of it.
void Dispatcher::pause(bool paused, Instant now, DispatchOutbox& out) {
  if (paused == paused_) return;
  paused_ = paused;
  out.on_event(paused ? "the run is paused" : "the run goes on");
  for (const auto& [id, worker] : workers_)
    send_pong(id, out);
  dispatch(now, out);
}

Status Dispatcher::stop_status() const {
  return end_ == proto::RUN_END_DEADLINE ? Status::kExpired : Status::kCancelled;
}

// What one worker tells is dealt with at once; to look at a thousand of them in every turn would take most of
// the time.
Duration Dispatcher::time_between_looks() const {
  const std::size_t workers = workers_.size();
  return workers < kFewWorkers ? Duration{0} : kLookPerWorker * static_cast<Duration::rep>(workers);
}

Instant Dispatcher::on_tick(Instant now, DispatchOutbox& out) {
  if (sink_exit_code_) {
    if (now >= acknowledged_at_ + kAfterAcknowledgement) exit_code_ = sink_exit_code_;
    return std::min(acknowledged_at_ + kAfterAcknowledgement, now + kDispatcherTickMax);
  }
  // A process that was itself stopped for a while must not take everybody else for dead.
  if (ticked_ != Instant{} && now > ticked_ + policy_.heartbeat) {
    for (auto& [id, worker] : workers_)
      worker.heard = now;
    sink_heard_ = now;
  }
  ticked_ = now;
  const bool looks = now >= look_at_;
  if (looks) {
    next_death_ = check_workers(now, out);
    look_at_ = now + time_between_looks();
  }
  const bool waited = policy_.wait != DispatchPolicy::kForever && now >= started_ + policy_.wait;
  if (waited && !sink_opened_) {
    exit_code_ = 5;  // there is nobody to report to
    return now;
  }
  if (waited && workers_ever_ == 0 && pending() > 0) {
    stop(proto::RUN_END_NO_PEER, proto::STOP_RUNNING, "no worker came in time", now, out);
  }
  // The sink owns the deadline. Should it be away, the work stops here all the same.
  if (deadline_at_ && now >= *deadline_at_) {
    stop(proto::RUN_END_DEADLINE, proto::STOP_RUNNING, "the run's deadline passed", now, out);
  }
  if (stop_level_ == proto::STOP_RUNNING && now >= stopped_at_ + kAbortGrace) {
    for (const Lease& lease : leases_.all()) {
      leases_.take(lease.jobs);
      into_limbo({lease.jobs, question_ + 1, lease.attempt + 1, false, false}, now);
    }
  }
  settle_undecided(now, out);
  if (stop_level_ != proto::STOP_NONE) propose_stopped(now, out);
  propose_quarantined(now, out);
  propose_given_up(now, out);
  propose_cancelled(now, out);
  if (looks) dispatch(now, out);
  const Instant next_look = hedge(now, out);
  measure_slots(now);
  ask_sink(now, out);
  Instant wake =
      std::min({now + kDispatcherTickMax, next_death_, hosts_.next_wake(), next_question(), next_look});
  if (!looks) wake = std::min(wake, look_at_);
  // What is due already waits for a free slot.
  for (const Instant due : {rate_.next_wake(), retry_queue_.next_wake()}) {
    if (due > now) wake = std::min(wake, due);
  }
  if (deadline_at_) wake = std::min(wake, *deadline_at_);
  return std::max(wake, now + std::chrono::milliseconds(1));
}

}  // namespace fantail
