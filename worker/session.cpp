#include "worker/session.h"

#include <algorithm>

#include "pipeline/state_hash.h"

namespace fantail {

namespace {

constexpr std::uint32_t kProtocolVersion = 1;
// A worker that keeps more results than this asks for no more jobs until the sink has taken them.
constexpr std::uint64_t kRetainedBytesMax = 16ULL << 20;
constexpr Duration kResendFirst = std::chrono::seconds(1);
constexpr Duration kResendMax = std::chrono::seconds(8);

void add_ranges(const RangeSet& set, google::protobuf::RepeatedPtrField<proto::JobRange>* ranges) {
  for (const JobSpan& span : set.spans()) {
    proto::JobRange& range = *ranges->Add();
    range.set_first(span.first);
    range.set_count(span.size());
  }
}

}  // namespace

void Session::say_hello(Instant now, SessionOutbox& out) {
  hello_at_ = now;
  proto::WorkerToVentilator message;
  message.set_worker_id(policy_.worker_id);
  proto::WorkerHello& hello = *message.mutable_hello();
  hello.set_protocol_version(kProtocolVersion);
  hello.set_name(policy_.name);
  hello.set_slots(policy_.slots);
  hello.set_async_slots(policy_.async_slots);
  for (const std::string& kind : policy_.kinds)
    hello.add_kinds(kind);
  hello.set_transport(policy_.transport);
  hello.set_run_id(run_id_);
  RangeSet holding = active_;
  for (const auto& [sequence, retained] : retained_) {
    for (const JobSpan& span : retained.jobs.spans())
      holding.insert(span);
  }
  add_ranges(holding, hello.mutable_holding());
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
    if (!draining_) say_hello(now, out);
  } else if (message.epoch() != epoch_) {
    return;  // of a former life
  } else if (message.has_pong()) {
    on_pong(message.pong(), now, out);
  } else if (message.has_permit()) {
    if (message.permit().run_id() == run_id_) out.permit(message.permit().job(), message.permit().host());
  } else if (message.has_stop()) {
    on_run_over(now, out);
  }
}

void Session::on_welcome(const proto::WorkerWelcome& welcome, std::uint64_t epoch, Instant now,
                         SessionOutbox& out) {
  // A hello that was said twice is answered twice, and then the last lane is the one that is open.
  if (draining_ || (epoch == epoch_ && welcome.lane_port() == lane_port_)) return;
  epoch_ = epoch;
  lane_port_ = welcome.lane_port();
  refusal_.clear();
  received_sequence_ = 0;
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

void Session::on_lane(const proto::Lane& message, Instant now, SessionOutbox& out) {
  if (epoch_ == 0 || message.epoch() != epoch_) return;
  if (message.sequence() <= received_sequence_) return;
  if (message.sequence() != received_sequence_ + 1) {
    // The lane lost something: a new lane and a hello that tells what is held put it right.
    out.close_lane();
    epoch_ = 0;
    say_hello(now, out);
    return;
  }
  received_sequence_ = message.sequence();
  if (message.has_spec()) begin_run(message.spec(), now, out);
  if (message.run_id() != run_id_ || message.inputs_size() == 0) return;
  if (draining_ || stop_level_ != proto::STOP_NONE) {
    send_status(true, now, out);  // does not hold them
    return;
  }
  const bool dense = message.jobs_size() == 0;
  const bool attempts = message.attempts_size() == message.inputs_size();
  if (!dense && message.jobs_size() != message.inputs_size()) return;
  std::vector<AcceptedJob> jobs;
  jobs.reserve(static_cast<std::size_t>(message.inputs_size()));
  for (int index = 0; index < message.inputs_size(); ++index) {
    const JobId id = dense ? message.first_job() + static_cast<JobId>(index) : message.jobs(index);
    if (!active_.insert(id)) continue;  // it is here already
    jobs.push_back({id, message.inputs(index), attempts ? message.attempts(index) : 1,
                    Duration(static_cast<Duration::rep>(message.time_left_us()))});
  }
  if (!jobs.empty()) out.start(std::move(jobs));
}

void Session::begin_run(const proto::RunSpec& spec, Instant now, SessionOutbox& out) {
  if (spec.run_id() == run_id_) return;
  run_id_ = spec.run_id();
  active_.clear();
  retained_.clear();
  retained_bytes_ = 0;
  mean_job_us_ = 0;
  measured_ = false;
  stop_level_ = proto::STOP_NONE;
  out.set_run(spec);
  // An empty message tells early whether the sink's data port can be reached.
  proto::Results probe;
  probe.set_run_id(run_id_);
  if (!sink_data_works_) retain_and_send(probe, {}, now, out);
}

void Session::on_pong(const proto::VentilatorPong& pong, Instant now, SessionOutbox& out) {
  if (pong.run_id() != run_id_ || pong.stop_level() <= stop_level_) return;
  stop_level_ = pong.stop_level();
  drop_queued(out);
  if (stop_level_ == proto::STOP_RUNNING) {
    out.stop_running(pong.stop_status() == proto::STATUS_EXPIRED ? StopReason::kExpired
                                                                 : StopReason::kCancelled);
  }
  send_status(true, now, out);
}

void Session::drop_queued(SessionOutbox& out) {
  for (const JobId id : out.drop_queued())
    active_.erase(id);
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
  active_.clear();
  retained_.clear();
  retained_bytes_ = 0;
  run_id_.clear();
  epoch_ = 0;
  lane_port_ = 0;
  hello_at_ = now;
}

void Session::on_sink(const proto::SinkToWorker& message, Instant now, SessionOutbox& out) {
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
  } else if (message.has_durable() && message.durable().run_id() == run_id_) {
    sink_data_works_ = true;
    const bool was_blocked = blocked();
    for (const std::uint64_t sequence : message.durable().sequences()) {
      const auto retained = retained_.find(sequence);
      if (retained == retained_.end()) continue;
      retained_bytes_ -= retained->second.serialized.size();
      retained_.erase(retained);
    }
    if (was_blocked && !blocked()) send_status(false, now, out);
  }
}

bool Session::blocked() const {
  return retained_bytes_ > kRetainedBytesMax;
}

void Session::on_host_events(std::vector<proto::HostEvent> events, SessionOutbox& out) {
  if (events.empty() || epoch_ == 0) return;
  proto::WorkerToVentilator message;
  message.set_worker_id(policy_.worker_id);
  message.set_epoch(epoch_);
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
  proto::WorkerToVentilator message;
  message.set_worker_id(policy_.worker_id);
  message.set_epoch(epoch_);
  proto::WorkerStatus& status = *message.mutable_status();
  status.set_run_id(run_id_);
  status.set_received_sequence(received_sequence_);
  status.set_unfinished(active_.size());
  status.set_running(static_cast<std::uint32_t>(out.running()));
  status.set_mean_job_us(measured_ ? static_cast<std::uint64_t>(std::max(mean_job_us_, 1.0)) : 0);
  status.set_draining(draining_);
  status.set_blocked(blocked());
  if (complete) {
    status_at_ = now;
    status.set_complete(true);
    RangeSet holding = active_;
    for (const auto& [sequence, retained] : retained_) {
      for (const JobSpan& span : retained.jobs.spans())
        holding.insert(span);
    }
    add_ranges(holding, status.mutable_holding());
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
    proto::WorkerToVentilator message;
    message.set_worker_id(policy_.worker_id);
    message.set_epoch(epoch_);
    message.mutable_goodbye();
    if (epoch_ != 0) out.send_to_ventilator(message);
    finished_ = true;
    return kNever;
  }
  if (epoch_ == 0 && !draining_ && now >= hello_at_ + policy_.heartbeat) say_hello(now, out);
  if (now >= status_at_ + policy_.heartbeat) {
    status_at_ = now;
    send_status(true, now, out);
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

void Session::resend(Instant now, SessionOutbox& out, bool all) {
  if (sink_data_port_ == 0) return;
  for (auto& [sequence, retained] : retained_) {
    if (!all && now < retained.sent + retained.resend_after) continue;
    retained.sent = now;
    retained.resend_after = std::min(retained.resend_after * 2, kResendMax);
    out.send_results(retained.serialized);
  }
}

void Session::retain_and_send(const proto::Results& results, RangeSet jobs, Instant now, SessionOutbox& out) {
  proto::Results message = results;
  const std::uint64_t sequence = next_result_sequence_++;
  message.set_worker_id(policy_.worker_id);
  message.set_sequence(sequence);
  Retained& retained = retained_[sequence];
  retained.serialized = message.SerializeAsString();
  retained.jobs = std::move(jobs);
  retained.sent = now;
  retained.resend_after = kResendFirst;
  retained_bytes_ += retained.serialized.size();
  if (sink_data_port_ != 0) out.send_results(retained.serialized);
}

std::uint64_t Session::hash() const {
  StateHash hash;
  hash.add(epoch_).add(lane_port_).add(run_id_).add(received_sequence_).add(active_);
  hash.add(static_cast<std::uint64_t>(stop_level_)).add(sink_epoch_).add(sink_data_port_);
  hash.add(draining_ ? 1 : 0).add(finished_ ? 1 : 0).add(next_result_sequence_);
  for (const auto& [sequence, retained] : retained_)
    hash.add(sequence).add(retained.serialized);
  return hash.value();
}

}  // namespace fantail
