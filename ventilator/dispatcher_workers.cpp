// The dispatcher's side towards workers: hello, status, death.
#include <algorithm>

#include "pipeline/job_ranges.h"
#include "pipeline/protocol_version.h"
#include "ventilator/dispatcher.h"

namespace fantail {

namespace {

constexpr int kDeadAfterHeartbeats = 3;
constexpr int kLostAfterHeartbeats = 2;
constexpr int kUnopenedForHeartbeats = 8;
// Nobody has that many; it keeps the sums of a lying peer small.
constexpr std::uint32_t kSlotsMax = 65536;

}  // namespace

void Dispatcher::on_worker(const proto::WorkerToVentilator& message, Instant now, DispatchOutbox& out) {
  const WorkerId& id = message.worker_id();
  if (message.has_hello()) {
    on_hello(id, message.hello(), message.number(), now, out);
    return;
  }
  const auto worker = workers_.find(id);
  if (worker == workers_.end() || message.epoch() != epoch_) {
    // One that was taken for dead is late.
    ++(message.epoch() == epoch_ ? dropped_.late : dropped_.stale);
    if (message.has_goodbye()) return;
    // Normal after a pause or a restart: it says hello again and tells what it holds.
    send_unknown(id, out);
    return;
  }
  worker->second.heard = now;
  if (message.has_status()) {
    // A late one tells of jobs and lane messages as they were, and would give credit that is spent.
    if (message.number() != 0 && message.number() <= worker->second.number) {
      ++dropped_.late;
      return;
    }
    worker->second.number = message.number();
    on_status(worker, message.status(), now, out);
    return dispatch_to(worker, now, out);
  } else if (message.has_host_events()) {
    on_host_events(id, message.host_events(), now, out);
  } else if (message.has_failed()) {
    on_failed(id, message.failed(), now, out);
  } else if (message.has_goodbye()) {
    remove_worker(id, false, now, out);
  }
  dispatch(now, out);
}

void Dispatcher::on_hello(const WorkerId& id, const proto::WorkerHello& hello, std::uint64_t number,
                          Instant now, DispatchOutbox& out) {
  if (const auto worker = workers_.find(id); worker != workers_.end()) {
    if (number != 0 && number <= worker->second.number) {
      ++dropped_.late;
      return;
    }
  }
  proto::VentilatorToWorker refusal;
  refusal.set_epoch(epoch_);
  if (hello.protocol_version() != kProtocolVersion) {
    refusal.mutable_wait()->set_reason(
        "the ventilator speaks protocol version " + std::to_string(kProtocolVersion) + ", the worker " +
        std::to_string(hello.protocol_version()) + ": install the same release on both");
    out.send_to_worker(id, refusal);
    return;
  }
  const std::uint32_t slots = std::min(policy_.asynchronous ? hello.async_slots() : hello.slots(), kSlotsMax);
  const bool knows =
      std::find(hello.kinds().begin(), hello.kinds().end(), policy_.kind) != hello.kinds().end();
  if (!knows || slots == 0) {
    refusal.mutable_wait()->set_reason("this run is of kind " + policy_.kind +
                                       ", which the worker does not take");
    out.send_to_worker(id, refusal);
    return;
  }
  const bool known = workers_.contains(id);
  if (known) out.close_lane(id);
  Worker worker;
  worker.name = hello.name();
  worker.slots = slots;
  worker.number = number;
  worker.heard = now;
  worker.unconnected_since = now;
  RangeSet holding;
  if (hello.run_id() == spec_.run_id()) holding = set_below(spooled_, hello.holding());
  worker.unfinished = holding.size();
  if (known) reconcile(id, holding, UINT64_MAX, true, now);
  // What it kept came by the old lane; from now on every whole status is to name it.
  for (Lease lease : leases_.of(id)) {
    leases_.take(lease.jobs);
    lease.sequence = 0;
    leases_.add(lease);
  }
  hedging_.on_new_lane(id);
  adopt(id, holding, now, out);
  Worker& joined = workers_[id];
  worker.counted = joined.counted;
  joined = worker;
  count_slots(joined);
  if (!known) {
    ++workers_ever_;
    out.on_event("worker " + worker.name + " joined with " + std::to_string(slots) + " slots");
  }
  out.open_lane(id);
}

// Jobs that the worker holds and nobody else has are not dispatched again.
void Dispatcher::adopt(const WorkerId& id, const RangeSet& holding, Instant now, DispatchOutbox& out) {
  for (const JobSpan& span : holding.spans()) {
    if (hedging_.on()) adopt_copies(id, span, now);
    for (const JobId job : retry_queue_.take(span))
      leases_.add({{job, job + 1}, id, 0, 1, now});
    for (const JobSpan& part : pending_.within(span)) {
      pending_.erase(part);
      leases_.add({part, id, 0, 1, now});
    }
    for (RangeSet* waiting : {&undecided_, &long_, &suspects_, &cancelled_}) {
      for (const JobSpan& part : waiting->within(span)) {
        waiting->erase(part);
        leases_.add({part, id, 0, 1, now});
        if (waiting != &undecided_) continue;
        for (JobId job = part.first; policy_.hosts.limits() && job < part.end; ++job)
          hosts_.add(job, out.host_of(job), pending_.priority_of(job));
      }
    }
    for (JobId job = span.first; policy_.hosts.limits() && job < span.end; ++job) {
      // One that is done may still wait, until its turn comes; nothing would end it a second time.
      if (done_.contains(job)) continue;
      if (hosts_.waiting() == 0 || !hosts_.adopt(job, out.host_of(job))) continue;
      if (leases_.holder(job).empty()) leases_.add({{job, job + 1}, id, 0, 1, now});
    }
  }
}

void Dispatcher::on_lane_open(const WorkerId& id, Instant now, DispatchOutbox& out) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return;
  worker->second.open = true;
  worker->second.next_sequence = 2;  // the lane's first message carried the run's spec
  count_slots(worker->second);
  dispatch(now, out);
}

void Dispatcher::on_lane_dropped(const WorkerId& id, Instant now) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end() || !worker->second.open) return;
  worker->second.open = false;
  worker->second.unconnected_since = now;
  count_slots(worker->second);
}

// What the old connection lost shows as a gap, or as a message that is not received.
void Dispatcher::on_lane_connected(const WorkerId& id, Instant now, DispatchOutbox& out) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end() || !worker->second.dropped()) return;
  worker->second.open = true;
  count_slots(worker->second);
  dispatch(now, out);
}

void Dispatcher::on_status(Workers::iterator entry, const proto::WorkerStatus& status, Instant now,
                           DispatchOutbox& out) {
  Worker& worker = entry->second;
  RangeSet holding;
  if (status.run_id() == spec_.run_id()) {
    // A welcome that came late took it to a lane that is not open any more: it would never tell of what the
    // open one carried. Its next hello does.
    if (status.received_sequence() < worker.received_sequence) send_unknown(entry->first, out);
    worker.received_sequence = std::max(worker.received_sequence, status.received_sequence());
    while (!worker.in_flight.empty() && worker.in_flight.front().sequence <= worker.received_sequence) {
      worker.sent_jobs -= worker.in_flight.front().jobs;
      worker.in_flight.pop_front();
    }
    holding = set_below(spooled_, status.holding());
    worker.unfinished = status.unfinished();
    worker.mean_job_ns = status.mean_job_ns();
    if (status.complete()) {
      reconcile(entry->first, holding, status.received_sequence(), false, now);
    }
  }
  worker.draining = status.draining();
  worker.blocked = status.blocked();
  count_slots(worker);
  // Only whole statuses are answered: these are the heartbeats.
  if (status.complete()) send_pong(entry->first, out, holding);
  if (!worker.open && worker.unconnected_since + kUnopenedForHeartbeats * policy_.heartbeat < now) {
    // It tries another lane than the one that waits for it.
    worker.unconnected_since = now;
    send_unknown(entry->first, out);
  }
  if (!worker.in_flight.empty() &&
      worker.in_flight.front().at + kLostAfterHeartbeats * policy_.heartbeat < now) {
    // What was sent long ago has not arrived while statuses have: the lane lost it. A new lane and its hello
    // tell what is held.
    worker.in_flight.front().at = now;
    send_unknown(entry->first, out);
  }
}

void Dispatcher::send_unknown(const WorkerId& id, DispatchOutbox& out) const {
  proto::VentilatorToWorker message;
  message.set_epoch(epoch_);
  message.mutable_unknown();
  out.send_to_worker(id, message);
}

// Leases that the worker should know of and does not hold: finished and told to the sink, or lost. The sink's
// next answer tells which.
void Dispatcher::reconcile(const WorkerId& id, const RangeSet& holding, std::uint64_t received_sequence,
                           bool started, Instant now) {
  hedging_.reconcile(id, holding, received_sequence, now);
  for (const Lease& lease : leases_.of(id)) {
    if (lease.sequence > received_sequence) continue;
    for (const JobSpan& missing : holding.missing_from(lease.jobs)) {
      leases_.take(missing);
      into_limbo({missing, question_ + 1, lease.attempt + (started ? 1 : 0), false, false}, now);
      facts_changed_ = true;  // ask at once
    }
  }
}

void Dispatcher::on_host_events(const WorkerId& id, const proto::HostEvents& events, Instant now,
                                DispatchOutbox& out) {
  if (events.run_id() != spec_.run_id() || !policy_.hosts.limits()) return;
  for (const proto::HostEvent& event : events.events()) {
    if (event.job() >= spooled_) continue;
    switch (event.type()) {
      case proto::HostEvent::WRITTEN:
        hosts_.on_written(event.job(), event.host(), now);
        break;
      case proto::HostEvent::WANTED:
        // It has the permit and asks for it: the answer was lost.
        if (hosts_.on_wanted(event.job(), event.host(), now)) {
          askers_[event.job()] = id;
        } else {
          send_permit(id, event.job(), event.host(), out);
        }
        break;
      case proto::HostEvent::BUSY:
        hosts_.on_busy(event.job(), event.host(), retry_after(event.retry_after_us()), now);
        break;
      case proto::HostEvent::FINISHED:
        hosts_.on_finished(event.job(), now);
        break;
      default:
        break;
    }
  }
  dispatch(now, out);
}

void Dispatcher::remove_worker(const WorkerId& id, bool died, Instant now, DispatchOutbox& out) {
  const Worker& worker = workers_.at(id);
  out.on_event("worker " + worker.name + (died ? " is gone: its jobs go to others" : " left"));
  const std::vector<Lease> held = leases_.of(id);
  const bool alone = worker.alone && held.size() == 1 && held.front().jobs.size() == 1;
  for (const Lease& copy : hedging_.held_by(id)) {
    if (died) limbo_.push_back({copy.jobs, question_ + 1, 1, true, false, true});
  }
  hedging_.on_gone(id, now);
  for (const Lease& lease : held) {
    leases_.take(lease.jobs);
    into_limbo({lease.jobs, question_ + 1, lease.attempt + (died ? 1 : 0), died, alone}, now);
  }
  slots_ -= worker.counted;
  workers_.erase(id);
  out.close_lane(id);
  facts_changed_ = true;
  ask_sink(now, out);
}

void Dispatcher::send_pong(const WorkerId& id, DispatchOutbox& out, const RangeSet& holding) const {
  proto::VentilatorToWorker message;
  message.set_epoch(epoch_);
  proto::VentilatorPong& pong = *message.mutable_pong();
  pong.set_run_id(spec_.run_id());
  pong.set_stop_level(stop_level_);
  pong.set_paused(paused_);
  pong.set_stop_status(static_cast<proto::Status>(stop_status()));
  put_cancelled(id, pong.mutable_cancelled());
  if (hedging_.on()) put_discarded(id, holding, pong.mutable_discarded());
  out.send_to_worker(id, message);
}

// A process that dies takes its connections with it; one that lives reconnects, or says something meanwhile.
Instant Dispatcher::last_moment(const Worker& worker) const {
  const Instant by_silence = worker.heard + kDeadAfterHeartbeats * policy_.heartbeat;
  if (!worker.dropped()) return by_silence;
  return std::min(by_silence, std::max(worker.heard, worker.unconnected_since) + policy_.heartbeat);
}

Instant Dispatcher::check_workers(Instant now, DispatchOutbox& out) {
  std::vector<WorkerId> dead;
  Instant next = kNever;
  for (const auto& [id, worker] : workers_) {
    const Instant last = last_moment(worker);
    if (last < now) {
      dead.push_back(id);
    } else {
      next = std::min(next, last + Duration{1});
    }
  }
  for (const WorkerId& id : dead)
    remove_worker(id, true, now, out);
  return next;
}

}  // namespace fantail
