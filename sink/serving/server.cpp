#include "sink/serving/server.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <set>

#include "messages.pb.h"
#include "pipeline/app/free_port.h"
#include "pipeline/app/limits.h"
#include "pipeline/app/logging.h"
#include "pipeline/app/served_folders.h"
#include "pipeline/app/signals.h"
#include "pipeline/net/poller.h"
#include "pipeline/ulid.h"
#include "sink/serving/output_check.h"
#include "sink/serving/served_sink.h"

namespace fantail {

namespace {

constexpr int kMessagesAtOnce = 256;
constexpr std::size_t kSinksMax = 1000;
constexpr Duration kLookAround = std::chrono::seconds(1);
constexpr Duration kSuspendWithin = std::chrono::seconds(3);

class SinkServer {
 public:
  SinkServer(const SinkOptions& options, PortRange ports, std::string state_dir, Logger logger)
      : options_(options),
        ports_(ports),
        log_(std::move(logger)),
        setting_{options, std::move(state_dir), {}, log_},
        control_(context_, SocketType::kRouter) {}

  std::string start();  // empty: all is bound, else why not
  int run(Signals& signals);

 private:
  void take_up();
  void forget_old();
  void receive(Instant now);
  void on_serving(const proto::ToServingSink& message, const std::string& from, Instant now);
  std::string open(const std::string& run, const proto::OpenSink& request);
  bool give_ports(ServedSink& sink);
  void refuse_ventilator(const proto::VentilatorToSink& message, const std::string& from);
  void suspend(int signal, Instant now);

  const SinkOptions& options_;
  PortRange ports_;
  Logger log_;
  ServedSinkSetting setting_;
  SocketContext context_;
  Socket control_;
  std::uint32_t tcp_port_ = 0;
  std::uint32_t next_port_ = 0;
  std::map<std::string, ServedSink> sinks_;  // by run, as text
  std::optional<Instant> kill_at_;
  std::optional<int> exit_code_;
};

std::string SinkServer::start() {
  for (const Endpoint& endpoint : options_.binds) {
    const Socket::Bound bound = control_.bind(endpoint);
    if (!bound.endpoint)
      return "cannot listen on --bind " + endpoint.text() + ": " + bound.error +
             "; stop what runs there or choose another";
    setting_.binds.push_back(*bound.endpoint);
    if (endpoint.transport == Endpoint::Transport::kTcp) tcp_port_ = bound.endpoint->port;
    log_->info("listening on {} for runs", bound.endpoint->text());
    if (!bound.endpoint->is_local())
      log_->warn("{} is open to the network without keys (--insecure)", bound.endpoint->text());
  }
  take_up();
  return {};
}

// What a former life began.
void SinkServer::take_up() {
  const std::vector<std::string> kept = list_served_runs(setting_.state_dir);
  for (auto run = kept.rbegin(); run != kept.rend(); ++run) {
    auto sink = ServedSink::take_up(setting_, *run);
    if (const auto* error = std::get_if<std::string>(&sink)) {
      log_->error("{}", *error);
      continue;
    }
    ServedSink& found = std::get<ServedSink>(sink);
    if (!found.ended()) log_->info("run {} goes on", *run);
    ServedSink& taken = sinks_.emplace(*run, std::move(found)).first->second;
    if (!taken.ended() && !taken.ports_free() && !give_ports(taken))
      log_->error("run {}: there is no port for its sink", *run);
  }
}

// Of those that have ended the newest stay, as long as nobody has read them.
void SinkServer::forget_old() {
  std::uint32_t ended = 0;
  for (auto sink = sinks_.end(); sink != sinks_.begin();) {
    --sink;
    if (!sink->second.ended() || ++ended <= options_.keep_runs) continue;
    sink->second.remove();
    sink = sinks_.erase(sink);
  }
}

int SinkServer::run(Signals& signals) {
  Poller poller;
  poller.add(control_);
  poller.add(signals.descriptor());
  const auto any_running = [this] {
    return std::any_of(sinks_.begin(), sinks_.end(),
                       [](const auto& entry) { return entry.second.running(); });
  };
  while (!exit_code_ || any_running()) {
    Instant now = steady_now();
    Instant wake = now + kLookAround;
    for (auto& [run, sink] : sinks_) {
      sink.tend(now);
      if (!sink.ended() && !sink.has_ports()) give_ports(sink);
      if (kill_at_ && now >= *kill_at_) sink.kill();
      wake = std::min(wake, sink.next_wake());
    }
    poller.wait_until(wake);
    now = steady_now();
    while (const auto signal = signals.next()) {
      if (*signal == SIGTERM || *signal == SIGINT) suspend(*signal, now);
    }
    if (!exit_code_) receive(now);
    forget_old();
  }
  return *exit_code_;
}

void SinkServer::receive(Instant now) {
  Frame frame;
  proto::ToSink message;
  for (int count = 0; count < kMessagesAtOnce && control_.receive(frame); ++count) {
    if (!message.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) continue;
    if (message.has_serving() && message.serving().run_id().size() == 16)
      on_serving(message.serving(), frame.from(), now);
    if (message.has_ventilator() && message.ventilator().has_open())
      refuse_ventilator(message.ventilator(), frame.from());
  }
}

void SinkServer::on_serving(const proto::ToServingSink& message, const std::string& from, Instant now) {
  const std::string run = ulid_text(message.run_id());
  proto::FromServingSink answer;
  answer.set_run_id(message.run_id());
  answer.set_tcp_port(tcp_port_);
  if (message.has_open() && !sinks_.contains(run)) answer.set_refusal(open(run, message.open()));
  const auto found = sinks_.find(run);
  if (found == sinks_.end()) {
    answer.set_ended(true);  // as far as anybody knows
    answer.set_exit_code(kExitInfrastructure);
    if (message.has_read()) *answer.mutable_piece() = {};
  } else if (message.has_forget() && found->second.ended()) {
    found->second.remove();
    sinks_.erase(found);
    return;
  } else {
    ServedSink& sink = found->second;
    if (message.has_close()) sink.close(now);
    answer.set_port(sink.port());
    answer.set_ended(sink.ended());
    answer.set_exit_code(static_cast<std::uint32_t>(sink.exit_code()));
    // Asked before it is read: what was written before the end is in the answer that tells of it, or to come.
    if (message.has_read()) *answer.mutable_piece() = sink.read(message.read());
  }
  control_.send_to(from, answer.SerializeAsString());
}

// Empty: it is begun. Else why not.
std::string SinkServer::open(const std::string& run, const proto::OpenSink& request) {
  if (std::string problem = check_submitted_output(request.output_flags()); !problem.empty()) return problem;
  if (sinks_.size() >= kSinksMax) return "the sink has " + std::to_string(sinks_.size()) + " runs already";
  auto made = ServedSink::create(setting_, run, request);
  if (const auto* error = std::get_if<std::string>(&made)) return *error;
  ServedSink& sink = sinks_.emplace(run, std::move(std::get<ServedSink>(made))).first->second;
  if (give_ports(sink)) return {};
  sink.remove();
  sinks_.erase(run);
  return "all of the sink's --run-ports " + options_.run_ports + " are taken: give it more";
}

bool SinkServer::give_ports(ServedSink& sink) {
  std::set<std::uint32_t> taken;
  for (const auto& [run, other] : sinks_) {
    if (!other.ended()) taken.insert({other.port(), other.data_port()});
  }
  const auto tcp = std::find_if(setting_.binds.begin(), setting_.binds.end(), [](const Endpoint& bind) {
    return bind.transport == Endpoint::Transport::kTcp;
  });
  const Endpoint& base = tcp == setting_.binds.end() ? setting_.binds.front() : *tcp;
  const std::uint32_t port = choose_port(base, ports_, taken, next_port_);
  taken.insert(port);
  const std::uint32_t data_port =
      tcp == setting_.binds.end() ? 0 : choose_port(base, ports_, taken, port + 1);
  next_port_ = std::max({next_port_, port, data_port}) + 1;
  if (port == 0 || (tcp != setting_.binds.end() && data_port == 0)) return false;
  if (const auto error = sink.set_ports(port, data_port)) {
    log_->error("{}", *error);
    return false;
  }
  return true;
}

void SinkServer::refuse_ventilator(const proto::VentilatorToSink& message, const std::string& from) {
  proto::SinkToVentilator answer;
  answer.set_run_id(message.run_id());
  answer.set_ventilator_epoch(message.epoch());
  answer.mutable_refused()->set_reason(
      "this sink serves the runs of a `fantail ventilator --serve`: submit the run there, or start the sink "
      "without "
      "--serve");
  control_.send_to(from, answer.SerializeAsString());
}

// The same command goes on with all of them.
void SinkServer::suspend(int signal, Instant now) {
  kill_at_ = now + (exit_code_ ? Duration{0} : kSuspendWithin);
  exit_code_ = signal == SIGINT ? 130 : kExitSuspended;
  log_->warn("suspended");
  for (auto& [run, sink] : sinks_)
    sink.suspend();
}

}  // namespace

int run_sink_server(const SinkOptions& options) {
  constexpr const char* kProgram = "fantail sink";
  Signals signals;
  raise_descriptor_limit();
  const auto ports = parse_port_range(options.run_ports);
  if (!ports)
    return complain(kProgram, "--run-ports \"" + options.run_ports + "\" is no range: write 5510-5549");
  std::string error;
  const std::string state_dir = make_state_dir(options.common.state_dir, "sink", error);
  if (state_dir.empty()) return complain(kProgram, error, kExitInfrastructure);
  const auto lock = lock_served_runs(state_dir);
  if (const auto* problem = std::get_if<std::string>(&lock))
    return complain(kProgram, *problem, kExitInfrastructure);
  SinkServer server(options, *ports, state_dir, make_logger("sink", options.common.log_level));
  const std::string problem = server.start();
  return problem.empty() ? server.run(signals) : complain(kProgram, problem, kExitInfrastructure);
}

}  // namespace fantail
