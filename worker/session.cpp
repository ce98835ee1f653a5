#include "worker/session.h"

#include <algorithm>

#include "pipeline/job_ranges.h"
#include "pipeline/protocol_version.h"

namespace fantail {

namespace {

// A worker that keeps more results than this asks for no more jobs until the sink has taken them.
constexpr std::uint64_t kRetainedBytesMax = 16ULL << 20;
// A sink that is behind is not hurried by copies: only silence for so long is taken for a loss.
constexpr Duration kResendFirst = std::chrono::seconds(4);
constexpr Duration kResendMax = std::chrono::seconds(32);

}  // namespace

proto::WorkerToVentilator Session::to_ventilator() {
  proto::WorkerToVentilator message;
  message.set_worker_id(policy_.worker_id);
  message.set_epoch(epoch_);
  message.set_number(next_number_++);
  return message;
}

void Session::say_hello(Instant now, SessionOutbox& out) {
  hello_at_ = now;
  proto::WorkerToVentilator message = to_ventilator();
  proto::WorkerHello& hello = *message.mutable_hello();
  hello.set_protocol_version(kProtocolVersion);
  hello.set_name(policy_.name);
  hello.set_slots(policy_.slots);
  hello.set_async_slots(policy_.async_slots);
  for (const std::string& kind : policy_.kinds)
    hello.add_kinds(kind);
  hello.set_transport(policy_.transport);
  hello.set_run_id(run_id_);
  put_ranges(holding().spans(), hello.mutable_holding());
  out.send_to_ventilator(message);
}

void Session::on_ventilator(const proto::VentilatorToWorker& message, Instant now, SessionOutbox& out) {
  if (message.has_welcome()) {
    on_welcome(message.welcome(), message.epoch(), now, out);
  } else if (message.has_wait()) {
    if (epoch_ == 0) refusal_ = message.wait().reason();
  } else if (message.has_unknown()) {
    // The lane is closed before the hello is written: what it still carried is not held, and goes to others.
    if (epoch_ != 0) out.close_lane();
    epoch_ = 0;
    lane_port_ = 0;
    say_hello(now, out);
  } else if (message.epoch() != epoch_) {
    ++dropped_.stale;
  } else if (message.has_pong()) {
    on_pong(message.pong(), now, out);
  } else if (message.has_permit()) {
    if (message.permit().run_id() != run_id_) {
      ++dropped_.stale;
      return;
    }
    wanted_.erase(message.permit().job());
    out.permit(message.permit().job(), message.permit().host());
  } else if (message.has_stop()) {
    on_run_over(now, out);
  }
}

void Session::on_welcome(const proto::WorkerWelcome& welcome, std::uint64_t epoch, Instant now,
                         SessionOutbox& out) {
  // A hello that was said twice is answered twice, and then the last lane is the one that is open.
  if (epoch == epoch_ && welcome.lane_port() == lane_port_) {
    ++dropped_.late;
    return;
  }
  epoch_ = epoch;
  lane_port_ = welcome.lane_port();
  refusal_.clear();
  received_sequence_ = 0;
  stop_level_ = proto::STOP_NONE;  // the ventilator may be a new one, that goes on: its pongs tell
  if (welcome.heartbeat_ms() > 0) policy_.heartbeat = std::chrono::milliseconds(welcome.heartbeat_ms());
  if (sink_endpoint_ != welcome.sink_endpoint()) {
    sink_endpoint_ = welcome.sink_endpoint();
    sink_epoch_ = 0;
    sink_data_port_ = 0;
    sink_data_works_ = false;
    out.connect_sink(sink_endpoint_, welcome.sink_tcp_port());
    say_hello_to_sink(out);
  }
  out.connect_lane(lane_port_);
  send_status(true, now, out);
}

void Session::on_lane(proto::Lane&& message, Instant now, SessionOutbox& out) {
  if (epoch_ == 0 || message.epoch() != epoch_ || message.sequence() <= received_sequence_) {
    ++(message.epoch() == epoch_ ? dropped_.late : dropped_.stale);
    return;
  }
  if (message.sequence() != received_sequence_ + 1) {
    // The lane lost something: a new lane and a hello that tells what is held put it right.
    out.close_lane();
    epoch_ = 0;
    say_hello(now, out);
    return;
  }
  received_sequence_ = message.sequence();
  if (message.has_spec()) begin_run(message.spec(), now, out);
  if (message.run_id() != run_id_ || message.count() == 0) return;
  if (draining_ || stop_level_ != proto::STOP_NONE) {
    send_status(true, now, out);  // does not hold them
    return;
  }
  const bool copy = message.copy();
  if (std::optional<JobSlice> jobs = JobSlice::of(message, input_format_)) {
    for (std::uint32_t index = 0; copy && index < jobs->size(); ++index)
      copies_.insert(jobs->id(index));
    start_new(std::move(*jobs), out);
  } else {
    ++dropped_.forged;
  }
}

// Some may be here already: a ventilator that was away does not know.
void Session::start_new(JobSlice jobs, SessionOutbox& out) {
  const JobSpan span = jobs.dense_span();
  if (span.size() > 0 && active_.within(span).empty() && retained_jobs_.within(span).empty()) {
    active_.insert(span);
    out.start(std::move(jobs));
    return;
  }
  while (jobs.size() > 0) {
    JobSlice rest = jobs;
    std::uint32_t fresh = 0;
    while (rest.size() > 0) {
      const JobId id = rest.next().id;
      if (retained_jobs_.contains(id) || !active_.insert(id)) break;
      ++fresh;
    }
    if (fresh > 0) out.start(jobs.take_front(fresh));
    if (jobs.size() > 0) jobs.next();
  }
}

void Session::begin_run(const proto::RunSpec& spec, Instant now, SessionOutbox& out) {
  if (spec.run_id() == run_id_) return;
  run_id_ = spec.run_id();
  forget_jobs();
  forget_results();
  attempts_max_ = std::max(spec.policy().attempts(), 1U);
  hedged_ = spec.policy().has_hedge();
  input_format_ = spec.kind().input_format();
  mean_job_ns_ = 0;
  measured_ = false;
  stop_level_ = proto::STOP_NONE;
  out.set_run(spec);
  // An empty message tells early whether the sink's data port can be reached.
  if (!sink_data_works_) retain_and_send({}, {}, now, out);
}

void Session::forget_jobs() {
  active_.clear();
  discarded_.clear();
  copies_.clear();
  wanted_.clear();
}

void Session::forget_results() {
  retained_.clear();
  retained_jobs_.clear();
  retained_bytes_ = 0;
}

// Queued, running, or finished and not known to be durable.
RangeSet Session::holding() const {
  RangeSet holding = active_;
  for (const JobSpan& span : retained_jobs_.spans())
    holding.insert(span);
  return holding;
}

void Session::on_run_over(Instant now, SessionOutbox& out) {
  if (!policy_.stay) {
    finished_ = true;
    return;
  }
  out.on_event("the run is over: waiting for the next ventilator");
  drop_queued(out);
  out.stop_running(StopReason::kCancelled);
  out.close_lane();
  forget_jobs();
  forget_results();
  run_id_.clear();
  epoch_ = 0;
  lane_port_ = 0;
  hello_at_ = now;
}

void Session::on_sink(const proto::SinkToWorker& message, Instant now, SessionOutbox& out) {
  // What waited for it is on its way: copies would only take room.
  if (sink_silent(now)) {
    for (auto& [sequence, retained] : retained_)
      retained.sent = now;
  }
  sink_heard_ = now;
  if (message.has_welcome()) {
    const bool restarted = sink_epoch_ != 0 && sink_epoch_ != message.epoch();
    sink_epoch_ = message.epoch();
    if (sink_data_port_ != message.welcome().data_port()) {
      sink_data_port_ = message.welcome().data_port();
      sink_data_works_ = false;
      out.connect_sink_data(sink_data_port_);
      resend(now, out, true);
    } else if (restarted) {
      resend(now, out, true);
    }
  } else if (message.durable().run_id() != run_id_) {
    ++dropped_.stale;
  } else if (message.has_durable()) {
    on_durable(message.durable(), now, out);
  }
}

void Session::on_durable(const proto::ResultsDurable& durable, Instant now, SessionOutbox& out) {
  sink_data_works_ = true;
  const bool was_blocked = blocked();
  std::uint64_t newest = 0;
  for (const std::uint64_t sequence : durable.sequences()) {
    const auto retained = retained_.find(sequence);
    if (retained == retained_.end()) continue;
    newest = std::max(newest, retained->second.sending);
    retained_bytes_ -= retained->second.serialized->size();
    for (const JobSpan& span : retained->second.jobs.spans())
      retained_jobs_.erase(span);
    if (retained->second.output_bytes > 0)
      out.output_durable(retained->second.output_of, retained->second.output_bytes);
    retained_.erase(retained);
  }
  // The connection keeps the order, and the sink answers in it: what was sent before and is not among the
  // durable got lost, or its answer did.
  for (auto& [sequence, retained] : retained_) {
    if (retained.sending < newest) send(retained, now, out);
  }
  if (was_blocked && !blocked()) send_status(false, now, out);
}

bool Session::blocked() const {
  return retained_bytes_ > kRetainedBytesMax;
}

void Session::on_host_events(std::vector<proto::HostEvent> events, SessionOutbox& out) {
  for (const proto::HostEvent& event : events) {
    if (event.type() == proto::HostEvent::WANTED) {
      wanted_[event.job()] = event.host();
    } else {
      wanted_.erase(event.job());
    }
  }
  send_host_events(std::move(events), out);
}

// A job waits for its permit as long as it takes: should the question or the answer be lost, or the
// ventilator be a new one, it has to be asked for again.
void Session::ask_for_permits(SessionOutbox& out) {
  std::vector<proto::HostEvent> events;
  for (const auto& [job, host] : wanted_) {
    proto::HostEvent& event = events.emplace_back();
    event.set_type(proto::HostEvent::WANTED);
    event.set_job(job);
    event.set_host(host);
  }
  send_host_events(std::move(events), out);
}

void Session::send_host_events(std::vector<proto::HostEvent> events, SessionOutbox& out) {
  if (events.empty() || epoch_ == 0) return;
  proto::WorkerToVentilator message = to_ventilator();
  message.mutable_host_events()->set_run_id(run_id_);
  for (proto::HostEvent& event : events)
    *message.mutable_host_events()->add_events() = std::move(event);
  out.send_to_ventilator(message);
}

void Session::on_drain(Instant now, SessionOutbox& out) {
  draining_ = true;
  drop_queued(out);
  if (epoch_ != 0) send_status(true, now, out);
}

void Session::send_status(bool complete, Instant now, SessionOutbox& out) {
  if (epoch_ == 0) return;
  proto::WorkerToVentilator message = to_ventilator();
  proto::WorkerStatus& status = *message.mutable_status();
  status.set_run_id(run_id_);
  status.set_received_sequence(received_sequence_);
  status.set_unfinished(active_.size());
  status.set_running(static_cast<std::uint32_t>(out.running()));
  status.set_mean_job_ns(measured_ ? static_cast<std::uint64_t>(std::max(mean_job_ns_, 1.0)) : 0);
  status.set_draining(draining_);
  status.set_blocked(blocked());
  if (complete) {
    status_at_ = now;
    status.set_complete(true);
    put_ranges(holding().spans(), status.mutable_holding());
  }
  out.send_to_ventilator(message);
}

Session::WaitsFor Session::waits_for() const {
  if (epoch_ == 0) return WaitsFor::kVentilator;
  if (received_sequence_ == 0) return WaitsFor::kLane;
  if (sink_epoch_ == 0) return WaitsFor::kSink;
  return sink_data_works_ ? WaitsFor::kNothing : WaitsFor::kSinkData;
}

Instant Session::on_tick(Instant now, SessionOutbox& out) {
  if (finished_) return kNever;
  if (draining_ && active_.empty() && retained_.empty()) {
    proto::WorkerToVentilator message = to_ventilator();
    message.mutable_goodbye();
    if (epoch_ != 0) out.send_to_ventilator(message);
    finished_ = true;
    return kNever;
  }
  // Also when draining: what still runs may need a host's permit.
  if (epoch_ == 0 && now >= hello_at_ + policy_.heartbeat) say_hello(now, out);
  if (now >= status_at_ + policy_.heartbeat) {
    status_at_ = now;
    send_status(true, now, out);
    ask_for_permits(out);
    if (!sink_endpoint_.empty()) say_hello_to_sink(out);
  }
  resend(now, out, false);
  return std::min(status_at_ + policy_.heartbeat, now + policy_.heartbeat / 4);
}

void Session::say_hello_to_sink(SessionOutbox& out) {
  proto::WorkerToSink message;
  message.set_worker_id(policy_.worker_id);
  message.mutable_hello()->set_protocol_version(kProtocolVersion);
  message.mutable_hello()->set_name(policy_.name);
  out.send_to_sink(message);
}

bool Session::sink_silent(Instant now) const {
  return now > sink_heard_ + kSinkSilentHeartbeats * policy_.heartbeat;
}

void Session::resend(Instant now, SessionOutbox& out, bool all) {
  if (sink_data_port_ == 0 || (!all && sink_silent(now))) return;
  for (auto& [sequence, retained] : retained_) {
    if (!all && now < retained.sent + retained.resend_after) continue;
    retained.resend_after = std::min(retained.resend_after * 2, kResendMax);
    send(retained, now, out);
  }
}

void Session::send(Retained& retained, Instant now, SessionOutbox& out) {
  retained.sent = now;
  retained.sending = next_sending_++;
  out.send_results(retained.serialized);
}

Session::Retained& Session::retain_and_send(proto::Results results, RangeSet jobs, Instant now,
                                            SessionOutbox& out) {
  const std::uint64_t sequence = next_result_sequence_++;
  results.set_run_id(run_id_);
  results.set_worker_id(policy_.worker_id);
  results.set_sequence(sequence);
  Retained& retained = retained_[sequence];
  retained.serialized = std::make_shared<const std::string>(results.SerializeAsString());
  for (const JobSpan& span : jobs.spans())
    retained_jobs_.insert(span);
  retained.jobs = std::move(jobs);
  retained.sent = now;
  retained.resend_after = kResendFirst;
  retained_bytes_ += retained.serialized->size();
  if (sink_data_port_ != 0) send(retained, now, out);
  return retained;
}

}  // namespace fantail
