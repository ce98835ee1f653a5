#include "sink/sink.h"

#include <csignal>
#include <map>

#include "pipeline/app/incarnation.h"
#include "pipeline/app/limits.h"
#include "pipeline/app/logging.h"
#include "pipeline/app/signals.h"
#include "pipeline/net/poller.h"
#include "pipeline/ulid.h"
#include "sink/collector.h"
#include "sink/progress_display.h"
#include "sink/run_output.h"

namespace fantail {

namespace {

constexpr int kMessagesPerTurn = 256;
constexpr Duration kTellWaiting = std::chrono::seconds(10);
constexpr int kDoneLingerMs = 1000;
// Where an ipc control endpoint's data socket is: PATH.1
constexpr std::uint32_t kIpcDataPort = 1;

class Sink : public CollectorOutbox {
 public:
  Sink(const SinkOptions& options, const std::string& state_dir, Logger logger)
      : options_(options),
        log_(std::move(logger)),
        control_(context_, SocketType::kRouter),
        data_(context_, SocketType::kPull),
        output_(options.output, state_dir),
        progress_(options.output.progress, steady_now()) {}

  std::string start();
  int run(Signals& signals);

 private:
  // ---- CollectorOutbox
  void send_to_worker(const std::string& worker_id, const proto::SinkToWorker& message) override {
    const auto peer = workers_.find(worker_id);
    if (peer != workers_.end()) control_.send_to(peer->second, message.SerializeAsString());
  }
  void send_to_ventilator(const proto::SinkToVentilator& message) override {
    control_.send_to(ventilator_, message.SerializeAsString());
  }
  void begin_run(const proto::RunSpec& spec) override {
    log_->info("run {} begins", ulid_text(spec.run_id()));
  }
  void end_run() override { ended_ = true; }
  void on_event(const std::string& what) override { log_->info("{}", what); }

  void receive_control(Instant now);
  void receive_data(Instant now);
  void commit(Instant now);
  void finish(Instant now);
  void tell_what_it_waits_for(Instant now);

  const SinkOptions& options_;
  Logger log_;
  SocketContext context_;
  Socket control_;
  Socket data_;
  std::vector<Endpoint> bound_;
  std::map<std::string, std::string> workers_;  // worker id -> routing id
  std::string ventilator_;                      // routing id of the one who spoke last
  RunOutput output_;
  ProgressDisplay progress_;
  proto::Results results_;  // reused
  bool ended_ = false;
  std::string fault_;
  Instant told_waiting_{};
  std::optional<Collector> collector_;
};

std::string Sink::start() {
  CollectorPolicy policy;
  policy.epoch = incarnation_now();
  policy.wait = options_.wait;
  std::uint32_t data_port = kIpcDataPort;
  for (const Endpoint& endpoint : options_.binds) {
    const bool tcp = endpoint.transport == Endpoint::Transport::kTcp;
    const Socket::Bound control = control_.bind(endpoint);
    if (!control.endpoint) {
      return "cannot listen on --bind " + endpoint.text() + ": " + control.error +
             "; stop what runs there or choose another";
    }
    std::uint32_t wanted = kIpcDataPort;
    if (tcp) {
      const bool any = endpoint.port == 0;
      wanted = options_.data_port ? *options_.data_port : any ? 0 : endpoint.port + 1U;
    }
    const Endpoint data_endpoint = control.endpoint->with_port(wanted);
    const Socket::Bound data = data_.bind(data_endpoint);
    if (!data.endpoint) {
      return "cannot listen on " + data_endpoint.text() + " for results: " + data.error +
             "; choose another --data-port";
    }
    if (tcp) {
      data_port = data.endpoint->port;
      policy.tcp_port = control.endpoint->port;
    }
    bound_.push_back(*control.endpoint);
    log_->info("listening on {}, for results on {}", control.endpoint->text(), data.endpoint->text());
    if (!endpoint.is_local())
      log_->warn("{} is open to the network without keys (--insecure)", endpoint.text());
  }
  policy.data_port = data_port;
  collector_.emplace(policy, steady_now());
  return output_.open().value_or(std::string());
}

int Sink::run(Signals& signals) {
  told_waiting_ = steady_now();
  Poller poller;
  poller.add(control_);
  poller.add(data_);
  poller.add(signals.descriptor());
  while (!collector_->exit_code()) {
    Instant now = steady_now();
    Instant wake = collector_->on_tick(now, output_, *this);
    if (collector_->run_open() && !collector_->run_ended()) wake = std::min(wake, progress_.next());
    if (ended_) {
      finish(now);
      continue;
    }
    poller.wait_until(wake);
    now = steady_now();
    while (const auto signal = signals.next()) {
      if (*signal == SIGINT) collector_->on_interrupt(proto::RUN_END_INTERRUPTED, "interrupted", now, *this);
      if (*signal == SIGTERM)
        collector_->on_interrupt(proto::RUN_END_SUSPENDED, "stopped by SIGTERM", now, *this);
    }
    receive_data(now);
    commit(now);
    receive_control(now);
    commit(now);
    if (ended_) finish(now);
    if (collector_->run_open() && !collector_->run_ended() && progress_.due(now)) {
      progress_.show(collector_->summary(now), now);
    }
    tell_what_it_waits_for(now);
  }
  control_.raw().set(zmq::sockopt::linger, kDoneLingerMs);
  const int code = *collector_->exit_code();
  if (!collector_->run_open() && code == kExitNoPeer) {
    log_->error("no ventilator came in time: start one with `fantail ventilator --sink {} …`",
                bound_.front().text());
  }
  return code;
}

void Sink::receive_control(Instant now) {
  Frame frame;
  proto::ToSink message;
  for (int count = 0; count < kMessagesPerTurn && control_.receive(frame); ++count) {
    if (!message.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) continue;
    if (message.has_ventilator() && message.ventilator().run_id().size() == 16) {
      ventilator_ = frame.from();
      const bool had_run = collector_->run_open();
      collector_->on_ventilator(message.ventilator(), now, output_, *this);
      if (!had_run && collector_->run_open()) output_.begin(*collector_->kind());
    } else if (message.has_worker() && message.worker().worker_id().size() == 16) {
      workers_[message.worker().worker_id()] = frame.from();
      collector_->on_worker(message.worker(), *this);
    }
  }
}

void Sink::receive_data(Instant now) {
  Frame frame;
  for (int count = 0; count < kMessagesPerTurn && data_.receive(frame); ++count) {
    if (!results_.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) continue;
    collector_->on_results(results_, now, output_);
  }
}

// One commit covers all that a turn brought; workers and ventilator hear of it after that.
void Sink::commit(Instant now) {
  if (!collector_->has_uncommitted()) return;
  if (output_.writes_to_terminal()) progress_.erase();
  if (const auto error = output_.commit()) {
    if (fault_.empty()) {
      fault_ = *error;
      log_->error("{}", fault_);
      collector_->on_fault(fault_, now, *this);
    }
  }
  collector_->on_committed(now, *this);
}

void Sink::finish(Instant now) {
  ended_ = false;
  progress_.erase();
  commit(now);
  const auto error = output_.finish(collector_->summary(now), *collector_->kind(), collector_->digest());
  if (error && fault_.empty()) {
    fault_ = *error;
    log_->error("{}", fault_);
    collector_->on_output_failed(fault_);
  }
  collector_->on_report_written(now, *this);
}

void Sink::tell_what_it_waits_for(Instant now) {
  if (collector_->run_open() || now < told_waiting_ + kTellWaiting) return;
  told_waiting_ = now;
  log_->warn("waiting for a ventilator: start one with `fantail ventilator --sink {} KIND …`",
             bound_.front().text());
}

}  // namespace

int run_sink(const SinkOptions& options) {
  Signals signals;
  raise_descriptor_limit();
  std::string error;
  const std::string state_dir = make_state_dir(options.common.state_dir, "sink", error);
  if (state_dir.empty()) return complain("fantail sink", error, kExitInfrastructure);
  Sink sink(options, state_dir, make_logger("sink", options.common.log_level));
  const std::string problem = sink.start();
  if (!problem.empty()) return complain("fantail sink", problem, kExitInfrastructure);
  return sink.run(signals);
}

}  // namespace fantail
