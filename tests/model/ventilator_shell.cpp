#include <algorithm>

#include "pipeline/column.h"
#include "tests/model/shells.h"

namespace fantail::model {

namespace {

class VentilatorOutbox final : public DispatchOutbox {
 public:
  explicit VentilatorOutbox(State& state) : state_(state), node_(state.edit_ventilator()) {}

  void open_lane(const WorkerId& id) override {
    Lane& lane = node_.lanes[id] = {node_.next_port++, false};
    proto::VentilatorToWorker message;
    message.set_epoch(node_.spool.epoch);
    message.mutable_welcome()->set_lane_port(lane.port);
    message.mutable_welcome()->set_sink_endpoint("sink");
    send_to_worker(id, message);
  }

  void close_lane(const WorkerId& id) override { node_.lanes.erase(id); }

  std::uint64_t fitting(JobSpan jobs, std::uint64_t&) override { return jobs.size(); }
  void send_jobs(const WorkerId& id, const LaneBatch& batch) override {
    proto::Lane message;
    message.set_run_id(run_spec().run_id());
    message.set_epoch(node_.spool.epoch);
    message.set_sequence(batch.sequence);
    message.set_count(static_cast<std::uint32_t>(batch.count()));
    for (const JobSpan& span : batch.jobs) {
      for (JobId job = span.first; job < span.end; ++job) {
        if (job >= node_.spool.frontier)
          state_.fail("job " + std::to_string(job) + " is given away beyond the frontier");
        append_to(*message.mutable_inputs(), input_of(job));
        message.add_jobs(job);
      }
    }
    for (const std::uint32_t attempt : batch.attempts)
      message.add_attempts(attempt);
    send_on_lane(state_, id, message);
  }

  void send_to_worker(const WorkerId& id, const proto::VentilatorToWorker& message) override {
    const std::size_t worker = worker_of(id);
    const WorkerNode& node = *state_.workers[worker];
    if (node.id != id) return;  // that incarnation is gone
    proto::VentilatorToWorker plain = message;
    plain.clear_epoch();
    if (plain.has_welcome()) plain.mutable_welcome()->clear_lane_port();
    Message sent = make_message(of_worker(Channel::kVentilatorToWorker, worker), message, plain, 0);
    sent.life = node.life;
    sent.port = message.welcome().lane_port();
    sent.ventilator_epoch = message.epoch();
    state_.send(std::move(sent));
  }

  void send_to_sink(const proto::VentilatorToSink& message) override {
    proto::VentilatorToSink plain = message;
    plain.clear_epoch();
    if (message.has_sync()) {
      node_.asked = message.sync().question();
      proto::RunSync& sync = *plain.mutable_sync();
      sync.clear_question();
      sync.clear_sink_epoch();
      sync.clear_facts();
      sync.mutable_facts()->set_end(message.sync().facts().end());
    }
    Message sent = make_message(Channel::kVentilatorToSink, message, plain, message.sync().question());
    sent.ventilator_epoch = message.epoch();
    sent.sink_epoch = message.sync().sink_epoch();
    state_.send(std::move(sent));
  }

  void propose(const std::vector<JobSpan>& jobs, Verdict verdict) override {
    for (const JobSpan& span : jobs) {
      proto::VentilatorToSink message;
      message.set_run_id(run_spec().run_id());
      message.set_epoch(node_.spool.epoch);
      proto::Results& results = *message.mutable_proposal();
      results.set_run_id(run_spec().run_id());
      results.set_first_job(span.first);
      for (JobId job = span.first; job < span.end; ++job) {
        results.set_count(results.count() + 1);
        append_to(*results.mutable_inputs(), input_of(job));
        results.add_attempts(0);
        results.add_statuses(verdict == Verdict::kCancelled ? proto::STATUS_CANCELLED : proto::STATUS_FAILED);
      }
      send_to_sink(message);
    }
  }

  void propose_failed(const proto::FailedAttempt&) override { state_.fail("a job is given up"); }
  bool advance_frontier(JobId frontier) override {
    node_.spool.frontier = std::max(node_.spool.frontier, frontier);
    return true;
  }

  void record_deaths(const std::vector<JobSpan>& jobs, bool alone) override {
    for (const JobSpan& span : jobs) {
      for (JobId job = span.first; job < span.end; ++job) {
        ++node_.spool.deaths[job].total;
        if (alone) ++node_.spool.deaths[job].alone;
      }
    }
  }

  void record_stop(const StopDecision& stop) override { node_.spool.stop = stop; }
  void record_end() override { node_.spool.ended = true; }
  std::string host_of(JobId) override { return "host"; }
  void on_event(const std::string&) override {}
  void on_trouble(const std::string&) override {}

  static void send_on_lane(State& state, const WorkerId& id, const proto::Lane& message) {
    const std::size_t worker = worker_of(id);
    const auto lane = state.ventilator->lanes.find(id);
    if (lane == state.ventilator->lanes.end() || !lane->second.open || state.workers[worker]->id != id)
      return;
    proto::Lane plain = message;
    plain.clear_epoch();
    plain.clear_attempts();
    Message sent = make_message(of_worker(Channel::kLane, worker), message, plain, 0);
    sent.port = lane->second.port;
    sent.life = state.workers[worker]->life;
    sent.ventilator_epoch = message.epoch();
    state.send(std::move(sent));
  }

 private:
  State& state_;
  VentilatorNode& node_;
};

// Stops the workers and leaves.
void leave(State& state) {
  VentilatorNode& node = state.edit_ventilator();
  node.exit_code = node.dispatcher->exit_code();
  VentilatorOutbox out(state);
  proto::VentilatorToWorker stop;
  stop.set_epoch(node.spool.epoch);
  stop.mutable_stop();
  for (const Peer& peer : node.peers) {
    if (!peer.id.empty()) out.send_to_worker(peer.id, stop);
  }
  crash_ventilator(state);
}

void on_lane_reached(State& state, const WorkerId& id, std::uint32_t port) {
  VentilatorNode& node = state.edit_ventilator();
  const auto lane = node.lanes.find(id);
  if (lane == node.lanes.end() || lane->second.port != port || lane->second.open) return;
  lane->second.open = true;
  proto::Lane first;
  first.set_run_id(run_spec().run_id());
  first.set_epoch(node.spool.epoch);
  first.set_sequence(1);
  *first.mutable_spec() = run_spec();
  VentilatorOutbox::send_on_lane(state, id, first);
  VentilatorOutbox out(state);
  node.dispatcher->on_lane_open(id, node.now, out);
}

}  // namespace

void deliver_to_ventilator(State& state, const Message& message) {
  VentilatorNode& node = state.edit_ventilator();
  node.now += kInstantly;
  VentilatorOutbox out(state);
  if (message.channel == Channel::kSinkToVentilator) {
    if (message.event) {
      node.dispatcher->on_sink_gone(node.now);
    } else {
      proto::SinkToVentilator parsed;
      parsed.ParseFromString(*message.bytes);
      const bool ours = parsed.ventilator_epoch() == node.spool.epoch;
      if (parsed.has_log() && ours) node.answered = std::max(node.answered, parsed.log().question());
      node.dispatcher->on_sink(parsed, node.now, out);
    }
  } else {
    const std::size_t worker = worker_of(message.channel);
    if (message.event) {
      on_lane_reached(state, id_of(worker, message.life), message.port);
    } else {
      proto::WorkerToVentilator parsed;
      parsed.ParseFromString(*message.bytes);
      Peer& peer = node.peers[worker];
      if (peer.id != parsed.worker_id()) peer = {parsed.worker_id(), 0};
      peer.number = std::max(peer.number, message.counter);
      node.dispatcher->on_worker(parsed, node.now, out);
    }
  }
  run_ventilator(state, kInstantly);
}

void run_ventilator(State& state, Duration passed) {
  VentilatorNode& node = state.edit_ventilator();
  node.now += passed;
  VentilatorOutbox out(state);
  if (!node.dispatcher->exit_code()) node.dispatcher->on_tick(node.now, out);
  if (node.dispatcher->exit_code()) leave(state);
}

void start_ventilator(State& state) {
  VentilatorNode& node = state.edit_ventilator();
  if (node.spool.ended) {
    node.exit_code = kExitCodeOfTheSpool;
    return;
  }
  DispatchPolicy policy;
  policy.kind = "echo";
  policy.heartbeat = kStep;
  node.dispatcher.emplace(
      policy, run_spec(), ++node.spool.epoch, node.now,
      FormerLife{std::min(node.spool.frontier, kJobs), node.spool.deaths, node.spool.stop});
  node.down_for = 0;
  node.next_port = 1 + static_cast<std::uint32_t>(node.spool.epoch) * 100;
  node.asked = node.answered = 0;
  VentilatorOutbox out(state);
  node.dispatcher->on_spooled(node.spool.spooled, node.now, out);
  node.dispatcher->on_input_end(node.spool.input_complete, 0, node.now, out);
  run_ventilator(state, kInstantly);
}

void crash_ventilator(State& state) {
  VentilatorNode& node = state.edit_ventilator();
  node.dispatcher.reset();
  node.lanes = {};
  node.peers = {};
  state.forget_messages_to(Role::kVentilator);
}

void cancel(State& state, proto::StopLevel level) {
  VentilatorNode& node = state.edit_ventilator();
  node.now += kInstantly;
  state.cancelled = true;
  VentilatorOutbox out(state);
  node.dispatcher->stop(proto::RUN_END_INTERRUPTED, level, "interrupted", node.now, out);
  run_ventilator(state, kInstantly);
}

}  // namespace fantail::model
