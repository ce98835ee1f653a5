#include "ventilator/ventilator.h"

#include <csignal>
#include <map>

#include "pipeline/app/durable.h"
#include "pipeline/app/limits.h"
#include "pipeline/app/logging.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/app/signals.h"
#include "pipeline/net/poller.h"
#include "pipeline/ulid.h"
#include "ventilator/control_address.h"
#include "ventilator/dispatcher.h"
#include "ventilator/proposals.h"
#include "ventilator/submission.h"

namespace fantail {

namespace {

constexpr Duration kOpeningRetry = std::chrono::milliseconds(2);
constexpr Duration kTellWaiting = std::chrono::seconds(10);
constexpr std::size_t kProposalJobs = 1000;
constexpr int kMessagesPerTurn = 256;
constexpr int kStopLingerMs = 1000;

class Ventilator : public DispatchOutbox {
 public:
  Ventilator(const VentilatorOptions& options, PortRange ports, RunRequest request, OpenedRun opened,
             std::uint64_t epoch, Logger logger)
      : options_(options),
        log_(std::move(logger)),
        epoch_(epoch),
        policy_(make_dispatch_policy(options.run, request)),
        submission_(std::move(opened), std::move(request), log_),
        control_(context_, SocketType::kRouter),
        sink_(context_, SocketType::kDealer),
        sink_watch_(context_, sink_, "sink"),
        lanes_(context_, ports),
        dispatcher_(policy_, make_spec(), epoch, steady_now(),
                    FormerLife{spool_.frontier(), spool_.deaths(), spool_.stop()}) {
    if (spool_.stop().end == proto::RUN_END_INTERRUPTED) interrupts_ = spool_.stop().level;
    proto::Lane first;
    first.set_run_id(run_id_);
    first.set_epoch(epoch_);
    first.set_sequence(1);
    *first.mutable_spec() = make_spec();
    first_lane_message_ = first.SerializeAsString();
  }

  // Empty: all is bound. Else why not.
  std::string start() {
    for (const Endpoint& endpoint : options_.binds) {
      const Socket::Bound bound = control_.bind(endpoint);
      if (!bound.endpoint) {
        return "cannot listen on --bind " + endpoint.text() + ": " + bound.error +
               "; stop what runs there or choose another";
      }
      bound_.push_back(*bound.endpoint);
      log_->info("run {}: listening for workers on {}", ulid_text(run_id_), bound.endpoint->text());
      if (!bound.endpoint->is_local() && options_.parent == 0)
        log_->warn("{} is open to the network without keys (--insecure)", bound.endpoint->text());
    }
    if (!sink_.connect(*options_.sink)) return "--sink " + options_.sink->text() + " is no address";
    if (const auto error = write_control_address(submission_.folder(), bound_.front()))
      log_->warn("{}; nobody can pause or cancel the run", *error);
    submission_.give_durable(steady_now(), dispatcher_, *this);
    return {};
  }

  int run(Signals& signals);

 private:
  proto::RunSpec make_spec() const {
    proto::RunSpec spec;
    spec.set_run_id(run_id_);
    spec.mutable_kind()->ParseFromString(spool_.run().spec);
    *spec.mutable_policy() = make_run_policy(options_.run);
    return spec;
  }

  // ---- DispatchOutbox
  void open_lane(const WorkerId& worker) override;
  void close_lane(const WorkerId& worker) override { lanes_.close(worker); }
  void send_jobs(const WorkerId& worker, const LaneBatch& batch) override;
  void send_to_worker(const WorkerId& worker, const proto::VentilatorToWorker& message) override {
    const auto peer = peers_.find(worker);
    if (peer != peers_.end()) control_.send_to(peer->second.routing_id, message.SerializeAsString());
  }
  void send_to_sink(const proto::VentilatorToSink& message) override {
    proto::ToSink envelope;
    *envelope.mutable_ventilator() = message;
    if (message.has_open()) {
      envelope.mutable_ventilator()->mutable_open()->set_name(process_name());
      envelope.mutable_ventilator()->mutable_open()->set_command(spool_.run().command);
    }
    sink_.send(envelope.SerializeAsString());
  }
  void propose(const std::vector<JobSpan>& jobs, Verdict verdict) override;
  void propose_failed(const proto::FailedAttempt& attempt) override;
  bool advance_frontier(JobId frontier) override {
    return submission_.advance_frontier(frontier, steady_now());
  }
  void record_deaths(const std::vector<JobSpan>& jobs, bool alone) override {
    submission_.record_deaths(jobs, alone, steady_now());
  }
  void record_stop(const StopDecision& stop) override { submission_.record_stop(stop, steady_now()); }
  void record_end() override { submission_.record_end(steady_now()); }
  std::uint64_t fitting(JobSpan jobs, std::uint64_t& bytes) override {
    const auto fits = spool_.fitting(jobs, bytes);
    if (!fits) spool_unreadable_ = true;
    return fits.value_or(0);
  }
  std::string host_of(JobId job) override {
    const auto inputs = spool_.read({job, job + 1});
    if (!inputs) spool_unreadable_ = true;
    return inputs ? read_spooled_job(inputs->front(), policy_.input_format).host : std::string();
  }
  void on_event(const std::string& what) override { log_->info("{}", what); }
  void on_trouble(const std::string& what) override { log_->warn("{}", what); }

  void send_proposal(JobSpan jobs, proto::Results proposal);
  void receive_workers(Instant now);
  void receive_sink(Instant now);
  void on_signal(int signal, Instant now);
  void tell_what_it_waits_for(Instant now);
  void stop_workers();
  void fault(const std::string& reason, Instant now) {
    log_->error("{}", reason);
    dispatcher_.stop(proto::RUN_END_FAULT, proto::STOP_RUNNING, reason, now, *this);
  }

  struct Peer {
    std::string routing_id;
    std::string transport;
  };

  const VentilatorOptions& options_;
  Logger log_;
  std::uint64_t epoch_;
  DispatchPolicy policy_;
  Submission submission_;
  const Spool& spool_ = submission_.spool();
  std::string run_id_ = spool_.run().run_id;
  std::optional<int> exit_code_;
  int interrupts_ = 0;  // in all lives: the level that they have stopped the run at
  std::uint32_t sink_tcp_port_ = 0;
  std::vector<Endpoint> bound_;
  std::map<WorkerId, Peer> peers_;
  std::string first_lane_message_;
  proto::Lane lane_message_;  // reused
  Instant told_waiting_{};
  bool spool_unreadable_ = false;

  SocketContext context_;
  Socket control_;
  Socket sink_;
  ConnectionWatch sink_watch_;
  Lanes lanes_;
  Dispatcher dispatcher_;
};

int Ventilator::run(Signals& signals) {
  told_waiting_ = steady_now();
  Poller without_input;
  Poller all;
  for (Poller* poller : {&without_input, &all}) {
    poller->add(control_);
    poller->add(sink_);
    poller->add(sink_watch_);
    poller->add(signals.descriptor());
  }
  if (submission_.descriptor() >= 0) all.add(submission_.descriptor());
  while (!dispatcher_.exit_code() && !exit_code_) {
    Instant now = steady_now();
    Instant wake = dispatcher_.on_tick(now, *this);
    if (lanes_.any_opening()) wake = std::min(wake, now + kOpeningRetry);
    (submission_.has_space(now) ? all : without_input).wait_until(wake);
    // All that came in is looked at before timers are: a late heartbeat is no missed one.
    now = steady_now();
    while (const auto signal = signals.next())
      on_signal(*signal, now);
    receive_workers(now);
    receive_sink(now);
    if (sink_watch_.closed()) dispatcher_.on_sink_gone(now);
    for (const WorkerId& worker : lanes_.try_opening(now))
      dispatcher_.on_lane_open(worker, now, *this);
    for (const auto& [worker, connected] : lanes_.changes(now)) {
      if (connected) dispatcher_.on_lane_connected(worker, now, *this);
      if (!connected) dispatcher_.on_lane_dropped(worker, now);
    }
    if (const auto trouble = submission_.advance(now, dispatcher_, *this)) fault(*trouble, now);
    if (spool_unreadable_) {
      // The run is not at fault: it goes on once the storage is there again.
      log_->error("cannot read the inputs back from {}: check the storage", submission_.folder());
      exit_code_ = kExitInfrastructure;
    }
    if (submission_.broken()) exit_code_ = kExitInfrastructure;
    tell_what_it_waits_for(now);
  }
  log_->info("leaving run {}: {}", ulid_text(run_id_), dispatcher_.dropped().text());
  if (exit_code_) return *exit_code_;
  stop_workers();
  const int code = *dispatcher_.exit_code();
  if (code == kExitNoPeer && !dispatcher_.sink_reached()) {
    log_->error("no sink came in time: start one with `fantail sink --bind {}`", options_.sink->text());
  } else if (code == kExitNoPeer) {
    log_->error("no worker came in time: start one with `fantail worker --ventilator {}`",
                bound_.front().text());
  }
  return code;
}

void Ventilator::open_lane(const WorkerId& worker) {
  const auto peer = peers_.find(worker);
  if (peer == peers_.end()) return;
  const Endpoint* base = &bound_.front();
  for (const Endpoint& endpoint : bound_) {
    if (endpoint.transport_name() == peer->second.transport) base = &endpoint;
  }
  proto::VentilatorToWorker message;
  message.set_epoch(epoch_);
  const Lanes::Opened opened = lanes_.open(worker, *base, first_lane_message_);
  if (opened.port == 0) {
    log_->warn("a worker has to wait: {}", opened.error);
    message.mutable_wait()->set_reason(opened.error);
    send_to_worker(worker, message);
    return;
  }
  proto::WorkerWelcome& welcome = *message.mutable_welcome();
  welcome.set_lane_port(opened.port);
  welcome.set_sink_endpoint(options_.sink->text());
  welcome.set_sink_tcp_port(sink_tcp_port_);
  welcome.set_heartbeat_ms(static_cast<std::uint32_t>(options_.run.heartbeat.count() / 1000));
  send_to_worker(worker, message);
}

void Ventilator::send_jobs(const WorkerId& worker, const LaneBatch& batch) {
  lane_message_.Clear();
  lane_message_.set_run_id(run_id_);
  lane_message_.set_epoch(epoch_);
  lane_message_.set_sequence(batch.sequence);
  lane_message_.set_time_left_us(static_cast<std::uint64_t>(batch.time_left.count()));
  lane_message_.set_timeout_us(static_cast<std::uint64_t>(batch.timeout.count()));
  lane_message_.set_copy(batch.copy);
  lane_message_.set_count(static_cast<std::uint32_t>(batch.count()));
  lane_message_.set_first_job(batch.jobs.front().first);
  for (const JobSpan& span : batch.jobs) {
    if (!spool_.read(span, *lane_message_.mutable_inputs())) {
      spool_unreadable_ = true;
      return;
    }
    for (JobId job = span.first; batch.jobs.size() > 1 && job < span.end; ++job)
      lane_message_.add_jobs(job);
  }
  seal_column(*lane_message_.mutable_inputs());
  lane_message_.mutable_attempts()->Assign(batch.attempts.begin(), batch.attempts.end());
  lanes_.send(worker, lane_message_);
}

void Ventilator::propose(const std::vector<JobSpan>& jobs, Verdict verdict) {
  for (const JobSpan& span : jobs) {
    for (JobId first = span.first; first < span.end; first += kProposalJobs) {
      const JobSpan part{first, std::min(span.end, first + kProposalJobs)};
      send_proposal(part, make_proposal(run_id_, part, verdict, spool_.deaths()));
    }
  }
}

void Ventilator::propose_failed(const proto::FailedAttempt& attempt) {
  send_proposal({attempt.job(), attempt.job() + 1}, make_proposal(run_id_, attempt));
}

void Ventilator::send_proposal(JobSpan jobs, proto::Results proposal) {
  if (!spool_.read(jobs, *proposal.mutable_inputs())) {
    spool_unreadable_ = true;
    return;
  }
  proto::VentilatorToSink message;
  message.set_run_id(run_id_);
  message.set_epoch(epoch_);
  *message.mutable_proposal() = std::move(proposal);
  send_to_sink(message);
}

void Ventilator::receive_workers(Instant now) {
  Frame frame;
  proto::WorkerToVentilator message;
  for (int count = 0; count < kMessagesPerTurn && control_.receive(frame); ++count) {
    if (!message.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size())) ||
        message.worker_id().size() != 16) {
      dispatcher_.on_unreadable();
      continue;
    }
    Peer& peer = peers_[message.worker_id()];
    peer.routing_id = frame.from();
    if (message.has_control()) {
      dispatcher_.on_control(message.worker_id(), message.control(), now, *this);
      peers_.erase(message.worker_id());
      continue;
    }
    if (message.has_hello()) peer.transport = message.hello().transport();
    dispatcher_.on_worker(message, now, *this);
  }
}

void Ventilator::receive_sink(Instant now) {
  Frame frame;
  proto::SinkToVentilator message;
  for (int count = 0; count < kMessagesPerTurn && sink_.receive(frame); ++count) {
    if (!message.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) {
      dispatcher_.on_unreadable();
      continue;
    }
    if (message.has_opened()) sink_tcp_port_ = message.opened().tcp_port();
    dispatcher_.on_sink(message, now, *this);
  }
}

void Ventilator::on_signal(int signal, Instant now) {
  if (signal == SIGINT) {
    const auto level = ++interrupts_ == 1 ? proto::STOP_QUEUED : proto::STOP_RUNNING;
    dispatcher_.stop(proto::RUN_END_INTERRUPTED, level, "interrupted", now, *this);
    log_->warn(interrupts_ == 1 ? "interrupted: running jobs finish; interrupt again to cancel them"
                                : "interrupted again: running jobs are cancelled");
  } else if (signal == SIGTERM) {
    // Nothing is cancelled: workers go on with what they hold, and the next start takes the run up.
    log_->warn("suspended: the same command goes on with run {}", ulid_text(run_id_));
    exit_code_ = kExitSuspended;
  }
  if (!dispatcher_.sink_reached() && signal == SIGINT) {
    log_->warn("there is no sink to report to");
    // Nothing of it was ever done: the same command begins anew. Else the next start reports the stop.
    if (spool_.frontier() == 0) record_end();
    stop_workers();
    exit_code_ = 130;
  }
}

void Ventilator::tell_what_it_waits_for(Instant now) {
  if (now < told_waiting_ + kTellWaiting) return;
  told_waiting_ = now;
  if (!dispatcher_.sink_reached()) {
    log_->warn("waiting for the sink at {}: start it with `fantail sink --bind {}`", options_.sink->text(),
               options_.sink->text());
  } else if (!dispatcher_.had_worker() && dispatcher_.pending() > 0) {
    log_->warn("waiting for workers: start one with `fantail worker --ventilator {}`", bound_.front().text());
  }
}

void Ventilator::stop_workers() {
  proto::VentilatorToWorker message;
  message.set_epoch(epoch_);
  message.mutable_stop();
  const std::string serialized = message.SerializeAsString();
  for (const auto& [id, peer] : peers_)
    control_.send_to(peer.routing_id, serialized);
  control_.raw().set(zmq::sockopt::linger, kStopLingerMs);
}

}  // namespace

int run_ventilator(const VentilatorOptions& options, PortRange ports, RunRequest request,
                   const RunCommand& command) {
  constexpr const char* kProgram = "fantail ventilator";
  Signals signals;
  raise_descriptor_limit();
  keep_freed_memory();
  const Logger logger = make_logger("ventilator", options.common.log_level);
  std::string error;
  const std::string state_dir = make_state_dir(options.common.state_dir, "ventilator", error);
  if (state_dir.empty()) return complain(kProgram, error, kExitInfrastructure);
  const auto epoch = next_epoch(state_dir);
  if (const auto* problem = std::get_if<std::string>(&epoch))
    return complain(kProgram, *problem, kExitInfrastructure);
  auto opened = open_run(state_dir, command, options.run_id, request.spec);
  if (const auto* problem = std::get_if<std::string>(&opened))
    return complain(kProgram, *problem, kExitInfrastructure);
  OpenedRun& run = std::get<OpenedRun>(opened);
  if (!run.spool.cut().empty()) logger->warn("{}", run.spool.cut());
  if (run.resumed) {
    logger->info("run {} goes on: {} jobs were submitted so far", ulid_text(run.spool.run().run_id),
                 run.spool.size());
    const StopDecision& stop = run.spool.stop();
    if (stop.level != proto::STOP_NONE)
      logger->warn("it was stopped before{}{}", stop.reason.empty() ? "" : ": ", stop.reason);
  } else {
    prune_run_folders(state_dir, options.keep_runs);
  }
  Ventilator ventilator(options, ports, std::move(request), std::move(run), std::get<std::uint64_t>(epoch),
                        logger);
  const std::string problem = ventilator.start();
  if (!problem.empty()) return complain(kProgram, problem, kExitInfrastructure);
  return ventilator.run(signals);
}

}  // namespace fantail
