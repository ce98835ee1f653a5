#include "ventilator/serving/server.h"

#include <algorithm>
#include <csignal>
#include <deque>
#include <memory>
#include <set>

#include "pipeline/app/durable.h"
#include "pipeline/app/free_port.h"
#include "pipeline/app/limits.h"
#include "pipeline/app/logging.h"
#include "pipeline/app/served_folders.h"
#include "pipeline/app/signals.h"
#include "pipeline/net/poller.h"
#include "pipeline/ulid.h"
#include "ventilator/serving/control_relay.h"
#include "ventilator/serving/known_workers.h"
#include "ventilator/serving/served_run.h"
#include "ventilator/serving/submission_check.h"

namespace fantail {

namespace {

constexpr int kMessagesAtOnce = 256;
constexpr std::size_t kWaitingMax = 1000;
constexpr Duration kSinkSilent = std::chrono::seconds(3);
constexpr Duration kRetellRuns = std::chrono::seconds(1);
constexpr Duration kTellSinkMissing = std::chrono::seconds(10);
constexpr Duration kSuspendWithin = std::chrono::seconds(3);

class VentilatorServer {
 public:
  VentilatorServer(const VentilatorOptions& options, PortRange ports, std::string state_dir,
                   std::uint64_t epoch, Logger logger)
      : options_(options),
        ports_(ports),
        epoch_(epoch),
        log_(std::move(logger)),
        setting_{options, std::move(state_dir), {}, log_},
        control_(context_, SocketType::kRouter),
        sink_(context_, SocketType::kDealer) {}

  std::string start();  // empty: all is bound, else why not
  int run(Signals& signals);

 private:
  void take_up(Instant now);
  void receive(Instant now);
  void on_hello(const proto::WorkerToVentilator& message, const std::string& from, Instant now);
  void on_submission(const proto::Submission& message, const std::string& from, Instant now);
  std::string refuse(const proto::Submission& message) const;
  void on_control(std::string_view bytes, const proto::RunControl& control, const std::string& from);
  void refuse_control(const std::string& from, const std::string& reason);
  void receive_sink(Instant now);
  void tend(Instant now);
  void forget_old();
  void open_waiting();
  bool all_idle() const;
  Instant next_wake(Instant now) const;
  void tell_runs(const std::string& routing_id);
  void tell_state(const ServedRun& run);
  void tell_what_it_waits_for(Instant now);
  void suspend(int signal, Instant now);
  std::size_t open_count() const {
    return static_cast<std::size_t>(
        std::count_if(runs_.begin(), runs_.end(), [](const auto& run) { return run->open(); }));
  }
  ServedRun* find(const std::string& run_id);

  const VentilatorOptions& options_;
  PortRange ports_;
  std::uint64_t epoch_;
  Logger log_;
  ServedSetting setting_;
  SocketContext context_;
  Socket control_;
  Socket sink_;
  std::deque<std::unique_ptr<ServedRun>> runs_;  // in the order in which they came
  KnownWorkers workers_;
  ControlRelay control_relay_{context_};
  std::uint64_t number_ = 1;  // of the list of runs
  std::uint32_t next_port_ = 0;
  Instant sink_heard_{};
  Instant told_sink_{};
  bool told_ports_taken_ = false;
  std::optional<Instant> kill_at_;
  std::optional<int> exit_code_;
};

std::string VentilatorServer::start() {
  for (const Endpoint& endpoint : options_.binds) {
    const Socket::Bound bound = control_.bind(endpoint);
    if (!bound.endpoint)
      return "cannot listen on --bind " + endpoint.text() + ": " + bound.error +
             "; stop what runs there or choose another";
    setting_.binds.push_back(*bound.endpoint);
    log_->info("listening on {} for runs and workers", bound.endpoint->text());
    if (!bound.endpoint->is_local())
      log_->warn("{} is open to the network without keys (--insecure)", bound.endpoint->text());
  }
  if (!sink_.connect(*options_.sink)) return "--sink " + options_.sink->text() + " is no address";
  take_up(steady_now());
  return {};
}

// What a former life was given.
void VentilatorServer::take_up(Instant now) {
  const std::vector<std::string> kept = list_served_runs(setting_.state_dir);
  for (auto run = kept.rbegin(); run != kept.rend(); ++run) {
    auto folder = SubmissionFolder::open(setting_.state_dir, *run);
    if (const auto* error = std::get_if<std::string>(&folder)) {
      log_->error("run {} cannot go on: {}", *run, *error);
      continue;
    }
    SubmissionFolder& found = std::get<SubmissionFolder>(folder);
    if (!found.outcome()) log_->info("run {} goes on", *run);
    runs_.push_front(std::make_unique<ServedRun>(setting_, *parse_ulid(*run), std::move(found), true, now));
  }
}

int VentilatorServer::run(Signals& signals) {
  sink_heard_ = steady_now();
  while (!exit_code_ || !all_idle()) {
    Instant now = steady_now();
    tend(now);
    Poller poller;
    poller.add(control_);
    poller.add(sink_);
    poller.add(signals.descriptor());
    control_relay_.add_to(poller);
    poller.wait_until(next_wake(now));
    now = steady_now();
    while (const auto signal = signals.next()) {
      if (*signal == SIGTERM || *signal == SIGINT) suspend(*signal, now);
    }
    if (!exit_code_) receive(now);
    receive_sink(now);
    control_relay_.relay_answers(control_);
    for (const std::string& name : workers_.forget_silent(now))
      log_->info("worker {} is gone", name);
    tell_what_it_waits_for(now);
  }
  return *exit_code_;
}

void VentilatorServer::receive(Instant now) {
  Frame frame;
  proto::WorkerToVentilator message;
  for (int count = 0; count < kMessagesAtOnce && control_.receive(frame); ++count) {
    if (!message.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) continue;
    if (message.has_submission()) {
      on_submission(message.submission(), frame.from(), now);
    } else if (message.worker_id().size() != 16) {
      continue;
    } else if (message.has_control()) {
      on_control(frame.bytes(), message.control(), frame.from());
    } else if (message.has_hello()) {
      on_hello(message, frame.from(), now);
    } else {
      // A worker of a ventilator with a run of its own that was here before.
      proto::VentilatorToWorker answer;
      answer.mutable_unknown();
      control_.send_to(frame.from(), answer.SerializeAsString());
    }
  }
}

void VentilatorServer::on_hello(const proto::WorkerToVentilator& message, const std::string& from,
                                Instant now) {
  const proto::WorkerHello& hello = message.hello();
  if (workers_.hear(hello.name(), from, now))
    log_->info("worker {} is there, with {} slots", hello.name(), hello.slots());
  tell_runs(from);
}

ServedRun* VentilatorServer::find(const std::string& run_id) {
  const auto found =
      std::find_if(runs_.begin(), runs_.end(), [&run_id](const auto& run) { return run->id() == run_id; });
  return found == runs_.end() ? nullptr : found->get();
}

std::string VentilatorServer::refuse(const proto::Submission& message) const {
  if (std::string problem = check_submission(message.run()); !problem.empty()) return problem;
  if (runs_.size() >= kWaitingMax)
    return std::to_string(runs_.size()) + " runs are here already: wait until some are over";
  return {};
}

void VentilatorServer::on_submission(const proto::Submission& message, const std::string& from, Instant now) {
  if (message.run_id().size() != 16) return;
  ServedRun* run = find(message.run_id());
  std::string problem;
  if (run == nullptr && message.leaving()) return;
  if (run == nullptr && !message.has_run())
    problem = "this ventilator does not know the run (any more): `fantail runs` shows those of its machine";
  if (run == nullptr && problem.empty()) problem = refuse(message);
  if (run == nullptr && problem.empty()) {
    const std::string text = ulid_text(message.run_id());
    auto folder = SubmissionFolder::create(setting_.state_dir, text, message.run());
    if (const auto* error = std::get_if<std::string>(&folder)) {
      problem = *error;
    } else {
      log_->info("run {}, priority {}: {}", text, message.run().priority(), message.run().command());
      run = runs_
                .emplace_back(std::make_unique<ServedRun>(
                    setting_, message.run_id(), std::move(std::get<SubmissionFolder>(folder)), false, now))
                .get();
    }
  }
  if (run == nullptr) {
    proto::VentilatorToWorker answer;
    answer.set_epoch(epoch_);
    answer.mutable_submission()->set_run_id(message.run_id());
    answer.mutable_submission()->set_refusal(problem);
    control_.send_to(from, answer.SerializeAsString());
    return;
  }
  run->submitter = from;
  run->on_submission(message, now);
  tell_state(*run);
}

void VentilatorServer::tell_state(const ServedRun& run) {
  if (run.submitter.empty()) return;
  proto::VentilatorToWorker answer;
  answer.set_epoch(epoch_);
  *answer.mutable_submission() = run.state();
  if (!run.open() && !run.over()) {
    const auto place =
        std::find_if(runs_.begin(), runs_.end(), [&run](const auto& each) { return each.get() == &run; });
    answer.mutable_submission()->set_waits_behind(static_cast<std::uint32_t>(
        std::count_if(runs_.begin(), place, [](const auto& each) { return !each->over(); })));
  }
  control_.send_to(run.submitter, answer.SerializeAsString());
}

// People's word for a run goes to its own ventilator.
void VentilatorServer::on_control(std::string_view bytes, const proto::RunControl& control,
                                  const std::string& from) {
  const ServedRun* run = find(control.run_id());
  if (run == nullptr || run->over())
    return refuse_control(from, run == nullptr ? "it is not a run of this ventilator" : "it is over");
  if (!run->running()) return refuse_control(from, "it has not begun yet: interrupt its `fantail submit`");
  Endpoint there = setting_.binds.front().with_port(run->port());
  if (there.host == "*") there = there.with_host("127.0.0.1");
  control_relay_.ask(run->id(), there, bytes, from);
}

void VentilatorServer::refuse_control(const std::string& from, const std::string& reason) {
  proto::VentilatorToWorker answer;
  answer.set_epoch(epoch_);
  answer.mutable_answer()->set_refusal(reason);
  control_.send_to(from, answer.SerializeAsString());
}

void VentilatorServer::receive_sink(Instant now) {
  Frame frame;
  proto::FromServingSink answer;
  for (int count = 0; count < kMessagesAtOnce && sink_.receive(frame); ++count) {
    if (!answer.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) continue;
    sink_heard_ = now;
    if (ServedRun* run = find(answer.run_id())) run->on_sink(answer, now);
  }
}

void VentilatorServer::tend(Instant now) {
  if (kill_at_ && now >= *kill_at_) {
    for (const auto& run : runs_)
      run->kill();
  }
  if (!exit_code_) open_waiting();
  bool changed = false;
  for (const auto& run : runs_) {
    if (!run->tend(now)) continue;
    changed = true;
    if (run->over()) control_relay_.forget(run->id());
    tell_state(*run);
  }
  for (const auto& run : runs_) {
    if (const auto message = run->to_sink(now)) {
      proto::ToSink envelope;
      *envelope.mutable_serving() = *message;
      sink_.send(envelope.SerializeAsString());
    }
  }
  forget_old();
  if (!changed) return;
  ++number_;
  workers_.for_each_address([this](const std::string& routing_id) { tell_runs(routing_id); });
}

// Of those that are over the newest stay, for who submitted them may come back.
void VentilatorServer::forget_old() {
  std::uint32_t over = 0;
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    ServedRun& each = **run;
    if (!each.over() || each.running() || each.sink_in_use()) continue;
    if (each.left() || ++over > options_.keep_runs) each.forget();
  }
  std::erase_if(runs_, [](const auto& run) { return run->forgotten(); });
}

void VentilatorServer::open_waiting() {
  std::set<std::uint32_t> taken;
  for (const auto& run : runs_) {
    if (run->open()) taken.insert(run->port());
  }
  const Endpoint& base = setting_.binds.front();
  for (const auto& run : runs_) {
    if (run->open() || run->over()) continue;
    if (taken.size() >= options_.max_runs) return;
    const std::uint32_t before = run->submitted().port();
    const bool again = before != 0 && !taken.contains(before) && is_port_free(base, before);
    const std::uint32_t port = again ? before : choose_port(base, ports_, taken, next_port_);
    if (port == 0) {  // tried again whenever something happens
      if (!std::exchange(told_ports_taken_, true))
        log_->warn("all of --run-ports {} are taken", options_.run_ports);
      return;
    }
    next_port_ = std::max(next_port_, port) + 1;
    taken.insert(port);
    run->open(port);
  }
}

bool VentilatorServer::all_idle() const {
  return std::none_of(runs_.begin(), runs_.end(), [](const auto& run) { return run->running(); });
}

Instant VentilatorServer::next_wake(Instant now) const {
  Instant wake = now + kRetellRuns;
  for (const auto& run : runs_)
    wake = std::min(wake, run->next_wake());
  return wake;
}

void VentilatorServer::tell_runs(const std::string& routing_id) {
  proto::VentilatorToWorker message;
  message.set_epoch(epoch_);
  message.mutable_served()->set_number(number_);
  for (const auto& run : runs_) {
    if (!run->reachable()) continue;
    proto::ServedRun& served = *message.mutable_served()->add_runs();
    served.set_run_id(run->id());
    served.set_port(run->port());
    served.set_priority(run->submitted().priority());
    served.set_sink_port(run->sink_port());
  }
  control_.send_to(routing_id, message.SerializeAsString());
}

void VentilatorServer::tell_what_it_waits_for(Instant now) {
  if (open_count() == 0) sink_heard_ = std::max(sink_heard_, now);
  if (now < sink_heard_ + kSinkSilent || now < told_sink_ + kTellSinkMissing) return;
  told_sink_ = now;
  log_->warn("waiting for the sink at {}: start it with `fantail sink --serve --bind {}`",
             options_.sink->text(), options_.sink->text());
}

// The same command goes on with all of them.
void VentilatorServer::suspend(int signal, Instant now) {
  kill_at_ = now + (exit_code_ ? Duration{0} : kSuspendWithin);
  exit_code_ = signal == SIGINT ? 130 : kExitSuspended;
  const std::size_t open = open_count();
  log_->warn("suspended{}",
             open > 0 ? ": the same command goes on with " + std::to_string(open) + " open runs" : "");
  for (const auto& run : runs_) {
    run->suspended = true;
    run->suspend();
  }
}

}  // namespace

int run_ventilator_server(const VentilatorOptions& options) {
  constexpr const char* kProgram = "fantail ventilator";
  Signals signals;
  raise_descriptor_limit();
  const auto ports = parse_port_range(options.run_ports);
  if (!ports)
    return complain(kProgram, "--run-ports \"" + options.run_ports + "\" is no range: write 5560-5599");
  std::string error;
  const std::string state_dir = make_state_dir(options.common.state_dir, "ventilator", error);
  if (state_dir.empty()) return complain(kProgram, error, kExitInfrastructure);
  const auto lock = lock_served_runs(state_dir);
  if (const auto* problem = std::get_if<std::string>(&lock))
    return complain(kProgram, *problem, kExitInfrastructure);
  const auto epoch = next_epoch(state_dir);
  if (const auto* problem = std::get_if<std::string>(&epoch))
    return complain(kProgram, *problem, kExitInfrastructure);
  VentilatorServer server(options, *ports, state_dir, std::get<std::uint64_t>(epoch),
                          make_logger("ventilator", options.common.log_level));
  const std::string problem = server.start();
  return problem.empty() ? server.run(signals) : complain(kProgram, problem, kExitInfrastructure);
}

}  // namespace fantail
