#include "tests/model/shells.h"
#include "worker/completion.h"

namespace fantail::model {

namespace {

constexpr Duration kJobLasts = std::chrono::milliseconds(10);
// One in the slot, one at hand.
constexpr std::size_t kCredit = 2;

class WorkerOutbox final : public SessionOutbox {
 public:
  WorkerOutbox(State& state, std::size_t worker)
      : state_(state), node_(state.edit_worker(worker)), worker_(worker) {}

  void connect_lane(std::uint32_t port) override {
    close_lane();
    node_.lane_port = port;
    Message reached;
    reached.channel = of_worker(Channel::kWorkerToVentilator, worker_);
    reached.event = true;
    reached.port = port;
    reached.life = node_.life;
    state_.send(std::move(reached));
  }

  void close_lane() override {
    node_.lane_port = 0;
    const Channel lane = of_worker(Channel::kLane, worker_);
    std::erase_if(state_.messages, [lane](const Message& message) { return message.channel == lane; });
  }

  void connect_sink(const std::string&, std::uint32_t) override {
    node_.sink_connected = true;
    node_.data_connected = false;
  }
  void connect_sink_data(std::uint32_t) override { node_.data_connected = true; }

  void send_to_ventilator(const proto::WorkerToVentilator& message) override {
    if (message.has_hello()) check_holding(message.hello().holding());
    if (message.has_status() && message.status().complete()) check_holding(message.status().holding());
    node_.number = message.number();
    proto::WorkerToVentilator plain = message;
    plain.clear_number();
    plain.clear_epoch();
    plain.clear_worker_id();
    if (plain.has_hello()) plain.mutable_hello()->clear_name();
    Message sent =
        make_message(of_worker(Channel::kWorkerToVentilator, worker_), message, plain, message.number());
    sent.life = node_.life;
    sent.ventilator_epoch = message.epoch();
    state_.send(std::move(sent));
  }

  void send_to_sink(const proto::WorkerToSink& message) override {
    if (node_.sink_connected) sink_says_welcome(state_, worker_, message);
  }

  void send_results(const std::shared_ptr<const std::string>& serialized) override {
    if (!node_.data_connected) return;
    proto::Results results;
    results.ParseFromString(*serialized);
    if (results.count() > 0)
      node_.sent[results.sequence()] = results.jobs_size() > 0 ? results.jobs(0) : results.first_job();
    proto::Results plain = results;
    plain.clear_worker_id();
    plain.clear_attempts();
    Message sent = make_message(of_worker(Channel::kResults, worker_), results, plain, 0);
    sent.life = node_.life;
    state_.send(std::move(sent));
  }

  // ---- the executor
  void set_run(const proto::RunSpec&) override {
    node_.jobs.clear();
    node_.stop = StopReason::kNone;
  }
  void start(JobSlice jobs) override {
    for (AcceptedJob& job : accepted_jobs(std::move(jobs)))
      node_.jobs.push_back(std::move(job));
    if (node_.jobs.size() > kCredit) state_.fail("a worker holds more jobs than its credit");
  }
  std::vector<JobId> drop_queued() override {
    std::vector<JobId> dropped;
    for (; node_.jobs.size() > 1; node_.jobs.pop_back())
      dropped.push_back(node_.jobs.back().id);
    return dropped;
  }
  void stop_running(StopReason reason) override {
    if (!node_.jobs.empty()) node_.stop = reason;
  }
  std::vector<JobId> cancel(const RangeSet&) override { return {}; }  // nobody cancels single jobs here
  void permit(JobId, const std::string&) override {}
  std::uint64_t running() override { return node_.jobs.empty() ? 0 : 1; }
  void output_durable(JobId, std::uint64_t) override {}
  void on_event(const std::string&) override {}

 private:
  void check_holding(const google::protobuf::RepeatedPtrField<proto::JobRange>& holding) {
    const sim::SimLedger& ledger = state_.sink->ledger;
    if (ledger.books.ended()) return;
    RangeSet held = ledger.done;
    for (const proto::JobRange& range : holding)
      held.insert({range.first(), range.first() + range.count()});
    for (const JobSpan& span : node_.finished.spans()) {
      for (const JobSpan& lost : held.missing_from(span))
        state_.fail("a worker forgot the result of job " + std::to_string(lost.first) +
                    ", which is not durable");
    }
  }

  State& state_;
  WorkerNode& node_;
  std::size_t worker_;
};

}  // namespace

void deliver_to_worker(State& state, const Message& message) {
  const std::size_t worker = worker_of(message.channel);
  if (message.life != state.workers[worker]->life) return;  // for its former incarnation
  if (message.channel >= Channel::kLane && message.port != state.workers[worker]->lane_port) return;
  WorkerNode& node = state.edit_worker(worker);
  node.now += kInstantly;
  WorkerOutbox out(state, worker);
  if (message.channel >= Channel::kLane) {
    proto::Lane parsed;
    parsed.ParseFromString(*message.bytes);
    node.session->on_lane(std::move(parsed), node.now, out);
  } else if (message.channel >= Channel::kSinkToWorker) {
    proto::SinkToWorker parsed;
    parsed.ParseFromString(*message.bytes);
    if (parsed.has_welcome()) node.sink_epoch = parsed.epoch();
    node.session->on_sink(parsed, node.now, out);
  } else {
    proto::VentilatorToWorker parsed;
    parsed.ParseFromString(*message.bytes);
    node.session->on_ventilator(parsed, node.now, out);
  }
  run_worker(state, worker, kInstantly);
}

void run_worker(State& state, std::size_t worker, Duration passed) {
  WorkerNode& node = state.edit_worker(worker);
  node.now += passed;
  WorkerOutbox out(state, worker);
  node.session->on_tick(node.now, out);
  if (node.session->finished()) crash_worker(state, worker);
}

// The answer to a hello that changes nothing else: it is not worth a message.
void hear_sink(State& state, std::size_t worker) {
  if (!state.sink->collector || state.workers[worker]->sink_epoch != state.sink->ledger.epoch) return;
  WorkerNode& node = state.edit_worker(worker);
  WorkerOutbox out(state, worker);
  proto::SinkToWorker welcome;
  welcome.set_epoch(node.sink_epoch);
  welcome.mutable_welcome()->set_data_port(kSinkDataPort);
  node.session->on_sink(welcome, node.now, out);
}

void finish_job(State& state, std::size_t worker) {
  WorkerNode& node = state.edit_worker(worker);
  node.now += kInstantly;
  const AcceptedJob job = node.jobs.front();
  const JobResult result = node.stop == StopReason::kNone ? JobResult::ok({}) : JobResult::stopped(node.stop);
  node.jobs.erase(node.jobs.begin());
  node.stop = StopReason::kNone;
  node.finished.insert(job.id);
  WorkerOutbox out(state, worker);
  proto::Results completion;
  append_to(completion, {job.id, job.input, job.attempt, result, Duration{0}, kJobLasts});
  node.session->on_completions({completion}, node.now, out);
  run_worker(state, worker, kInstantly);
}

void start_worker(State& state, std::size_t worker) {
  WorkerNode& node = state.edit_worker(worker);
  const std::uint64_t life = node.life + 1;
  const Instant now = node.now;
  node = WorkerNode{};
  node.life = life;
  node.now = now;
  SessionPolicy policy;
  node.id = id_of(worker, life);
  policy.worker_id = node.id;
  policy.name = node.id;
  policy.kinds = {"echo"};
  policy.heartbeat = kStep;
  node.session.emplace(policy);
  run_worker(state, worker, kInstantly);
}

void crash_worker(State& state, std::size_t worker) {
  WorkerNode& node = state.edit_worker(worker);
  node.session.reset();
  node.jobs.clear();
  state.forget_messages_to(role_of_worker(worker));
}

}  // namespace fantail::model
