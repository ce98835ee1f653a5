#include "tests/model/shells.h"

namespace fantail::model {

namespace {

class SinkOutbox final : public CollectorOutbox, public Ledger {
 public:
  explicit SinkOutbox(State& state) : state_(state), node_(state.edit_sink()) {}

  void send_to_worker(const std::string& id, const proto::SinkToWorker& message) override {
    const std::size_t worker = worker_of(id);
    const WorkerNode& node = *state_.workers[worker];
    if (node.id != id) return;  // that incarnation is gone
    if (message.has_durable()) check_durable(node, message.durable());
    proto::SinkToWorker plain = message;
    plain.clear_epoch();
    Message sent = make_message(of_worker(Channel::kSinkToWorker, worker), message, plain, 0);
    sent.life = node.life;
    sent.sink_epoch = message.epoch();
    state_.send(std::move(sent));
  }

  void send_to_ventilator(const proto::SinkToVentilator& message) override {
    proto::SinkToVentilator plain = message;
    plain.clear_epoch();
    plain.clear_ventilator_epoch();
    if (message.has_log()) {
      plain.mutable_log()->clear_question();
      for (const proto::JobRange& range : message.log().done()) {
        if (!node_.ledger.done.missing_from({range.first(), range.first() + range.count()}).empty())
          state_.fail("the ventilator is told of jobs that are not durable");
      }
    }
    if (message.has_done()) {
      if (!node_.ledger.books.ended()) state_.fail("the end is told before it is durable");
      if (!node_.ledger.done.missing_from({0, kJobs}).empty())
        state_.fail("the end is told and job " +
                    std::to_string(node_.ledger.done.missing_from({0, kJobs}).front().first) + " is open");
    }
    Message sent = make_message(Channel::kSinkToVentilator, message, plain, message.log().question());
    sent.ventilator_epoch = message.ventilator_epoch();
    sent.sink_epoch = message.epoch();
    state_.send(std::move(sent));
  }

  void begin_run(const proto::RunSpec&) override {}
  void end_run() override { node_.ends = true; }
  void on_event(const std::string&) override {}

  void record(const fantail::Kind&, const Outcome& outcome) override {
    const std::string name = "job " + std::to_string(outcome.job);
    if (node_.staged.contains(outcome.job) || node_.ledger.done.contains(outcome.job))
      state_.fail(name + " is recorded twice");
    if (outcome.job >= kJobs || outcome.input != input_of(outcome.job))
      state_.fail(name + " is not what was submitted");
    if (outcome.status == Status::kCancelled && !state_.cancelled)
      state_.fail(name + " is cancelled and nobody asked for that");
    if (outcome.status == Status::kFailed || outcome.status == Status::kExpired)
      state_.fail(name + " has an outcome that no execution had");
    node_.staged[outcome.job] = {outcome.status, outcome.attempt, std::string(outcome.input), {}};
  }

  // A sink whose ventilator is silent ends the run of its own, with the jobs that it was told of.
  void record_without_rows(JobSpan jobs, Status status) override {
    for (JobId job = jobs.first; job < jobs.end; ++job) {
      if (node_.staged.contains(job) || node_.ledger.done.contains(job))
        state_.fail("job " + std::to_string(job) + " is recorded twice");
      if (!state_.cancelled) state_.fail("job " + std::to_string(job) + " is given up");
      node_.staged[job] = {status, 0, input_of(job), {}};
    }
  }

 private:
  void check_durable(const WorkerNode& worker, const proto::ResultsDurable& durable) {
    if (node_.ledger.books.ended()) return;  // what comes later is only taken off the worker's hands
    for (const std::uint64_t sequence : durable.sequences()) {
      const auto sent = worker.sent.find(sequence);
      if (sent != worker.sent.end() && !node_.ledger.done.contains(sent->second))
        state_.fail("job " + std::to_string(sent->second) + " is acknowledged before it is durable");
    }
  }

  State& state_;
  SinkNode& node_;
};

void write_ledger(SinkNode& node) {
  if (!node.collector->run_open()) return;
  node.collector->begin_commit();
  node.ledger.has_run = true;
  node.ledger.spec = run_spec();
  node.ledger.books = node.collector->books(node.now);
  node.ledger.aggregate = node.collector->kind()->save();
  for (auto& [job, row] : node.staged) {
    node.ledger.done.insert(job);
    node.ledger.rows.emplace(job, std::move(row));
  }
  node.staged.clear();
}

}  // namespace

void deliver_to_sink(State& state, const Message& message) {
  SinkNode& node = state.edit_sink();
  node.now += kInstantly;
  SinkOutbox out(state);
  if (message.channel == Channel::kVentilatorToSink) {
    proto::VentilatorToSink parsed;
    parsed.ParseFromString(*message.bytes);
    if (parsed.has_sync()) node.question = parsed.sync().question();
    node.collector->on_ventilator(parsed, node.now, out, out);
  } else {
    proto::Results parsed;
    parsed.ParseFromString(*message.bytes);
    node.collector->on_results(parsed, node.now, out);
  }
  run_sink(state, kInstantly);
}

void run_sink(State& state, Duration passed) {
  SinkNode& node = state.edit_sink();
  node.now += passed;
  SinkOutbox out(state);
  if (!node.collector->exit_code()) node.collector->on_tick(node.now, out, out);
  if (!node.collector->exit_code()) return;
  node.exit_code = node.collector->exit_code();
  write_ledger(node);
  crash_sink(state);
}

// A greeting is answered at once where the worker does not know this sink yet: that answer may be lost.
void sink_says_welcome(State& state, std::size_t worker, const proto::WorkerToSink& hello) {
  if (!state.sink->collector || state.workers[worker]->sink_epoch == state.sink->ledger.epoch) return;
  SinkOutbox out(state);
  state.edit_sink().collector->on_worker(hello, out);
}

void commit(State& state, bool dies_before_it_tells) {
  SinkNode& node = state.edit_sink();
  node.now += kInstantly;
  write_ledger(node);
  if (dies_before_it_tells) return crash_sink(state);
  SinkOutbox out(state);
  const bool ends = std::exchange(node.ends, false);
  node.collector->on_committed(node.now, out);
  if (ends) node.collector->on_report_written(node.now, out);
  run_sink(state, kInstantly);
}

void start_sink(State& state) {
  SinkNode& node = state.edit_sink();
  CollectorPolicy policy;
  policy.epoch = ++node.ledger.epoch;
  policy.data_port = kSinkDataPort;
  node.collector.emplace(policy, node.now);
  node.down_for = 0;
  node.question = 0;
  node.exit_code.reset();
  if (node.ledger.has_run) {
    const KeptRun kept{node.ledger.spec, node.ledger.books, node.ledger.aggregate, node.ledger.done};
    if (!node.collector->restore(kept, Duration{0}, node.now)) state.fail("the sink cannot read its ledger");
    node.ends = node.collector->run_ended();
  }
  run_sink(state, kInstantly);
}

void crash_sink(State& state) {
  SinkNode& node = state.edit_sink();
  node.collector.reset();
  node.staged.clear();
  node.ends = false;
  state.forget_messages_to(Role::kSink);
  Message gone;
  gone.channel = Channel::kSinkToVentilator;
  gone.event = true;
  // Only a ventilator that waits for the end hears of it.
  if (state.ventilator->spool.ended) state.send(std::move(gone));
}

}  // namespace fantail::model
