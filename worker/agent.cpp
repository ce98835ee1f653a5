#include "worker/agent.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <optional>
#include <string>

#include "messages.pb.h"
#include "pipeline/app/child_process.h"
#include "pipeline/app/command_line.h"
#include "pipeline/net/poller.h"
#include "pipeline/protocol_version.h"
#include "pipeline/ulid.h"
#include "worker/slot_link.h"
#include "worker/slot_shares.h"

namespace fantail {

namespace {

// Whatever a ventilator says: each is a process with a thread for each slot.
constexpr std::size_t kRunsMax = 256;
constexpr Duration kAskEvery = std::chrono::seconds(1);
constexpr Duration kVentilatorSilent = std::chrono::seconds(3);
constexpr Duration kTellSilentEvery = std::chrono::seconds(10);
constexpr Duration kTellAgain = std::chrono::milliseconds(20);
// The worker of a run that is over hears so from its ventilator. Where that is gone nobody waits for it.
constexpr Duration kLeaveWithin = std::chrono::seconds(3);

class Agent {
 public:
  Agent(const WorkerOptions& options, Logger logger)
      : options_(options),
        log_(std::move(logger)),
        control_(context_, SocketType::kDealer),
        threads_(options.slots.slots),
        loops_(options.slots.async_slots) {}

  std::optional<int> run(Signals& signals);

 private:
  struct Run {
    proto::ServedRun served;
    ChildProcess process;
    std::optional<SlotLink> link;
    Instant restart_at{};  // when it does not run
    bool over = false;     // its worker has left for good
    bool asynchronous = false;
    SlotAllotment told;
    std::optional<Instant> leaves_by;
    int asked_to_leave = 0;
  };

  void say_hello(Instant now);
  void receive(Instant now);
  void on_served(const proto::VentilatorToWorker& message, Instant now);
  void start(const std::string& id, Run& run, Instant now);
  ChildProgram program_of(const Run& run, int link) const;
  void dismiss(Run& run, Instant now);
  void tend(Instant now);
  void reap(Instant now);
  void forget_share(const std::string& id, Instant now);
  void share(Instant now);
  Instant next_wake() const;
  void drain(int signal);
  void tell_what_it_waits_for(Instant now);

  const WorkerOptions& options_;
  Logger log_;
  SocketContext context_;
  Socket control_;
  std::string worker_id_ = new_ulid();
  std::uint64_t epoch_ = 0;   // of the ventilator that serves
  std::uint64_t number_ = 0;  // of its last list
  std::map<std::string, Run> runs_;
  SlotShares threads_;
  SlotShares loops_;
  Instant hello_at_{};
  Instant heard_{};
  Instant told_at_{};
  Instant decide_at_ = kNever;
  bool untold_ = false;
  bool links_changed_ = true;
  bool plain_ventilator_ = false;
  int drains_ = 0;
};

std::optional<int> Agent::run(Signals& signals) {
  control_.connect(*options_.ventilator);
  log_->info("the ventilator at {} serves several runs", options_.ventilator->text());
  heard_ = steady_now();
  Poller poller;
  for (;;) {
    Instant now = steady_now();
    if (now >= hello_at_) say_hello(now);
    tend(now);
    if (plain_ventilator_ && runs_.empty()) return std::nullopt;
    if (drains_ > 0 && runs_.empty()) return 0;
    if (links_changed_) {
      links_changed_ = false;
      poller.clear();
      poller.add(control_);
      poller.add(signals.descriptor());
      for (const auto& [id, run] : runs_) {
        if (run.link) poller.add(run.link->descriptor());
      }
    }
    poller.wait_until(next_wake());
    now = steady_now();
    while (const auto signal = signals.next()) {
      if (*signal == SIGTERM || *signal == SIGINT) drain(*signal);
      if (drains_ > 1) return *signal == SIGINT ? 130 : 143;
    }
    reap(now);
    receive(now);
    share(now);
    tell_what_it_waits_for(now);
  }
}

void Agent::say_hello(Instant now) {
  hello_at_ = now + kAskEvery;
  if (drains_ > 0) return;
  proto::WorkerToVentilator message;
  message.set_worker_id(worker_id_);
  proto::WorkerHello& hello = *message.mutable_hello();
  hello.set_protocol_version(kProtocolVersion);
  hello.set_name(process_name());
  hello.set_slots(options_.slots.slots);
  hello.set_async_slots(options_.slots.async_slots);
  hello.set_transport(std::string(options_.ventilator->transport_name()));
  control_.send(message.SerializeAsString());
}

void Agent::receive(Instant now) {
  Frame frame;
  proto::VentilatorToWorker message;
  while (control_.receive(frame)) {
    if (!message.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) continue;
    if (message.has_served()) on_served(message, now);
    if (message.has_welcome() || message.has_wait()) {
      plain_ventilator_ = true;
      for (auto& [id, run] : runs_)
        dismiss(run, now);
    }
  }
}

void Agent::on_served(const proto::VentilatorToWorker& message, Instant now) {
  heard_ = now;
  plain_ventilator_ = false;
  if (message.epoch() < epoch_ || (message.epoch() == epoch_ && message.served().number() < number_)) return;
  epoch_ = message.epoch();
  number_ = message.served().number();
  if (drains_ > 0) return;
  std::map<std::string, const proto::ServedRun*> open;
  for (const proto::ServedRun& served : message.served().runs()) {
    if (served.run_id().size() == 16 && open.size() < kRunsMax) open[served.run_id()] = &served;
  }
  for (auto& [id, run] : runs_) {
    if (!open.contains(id)) dismiss(run, now);
  }
  for (const auto& [id, served] : open) {
    Run& run = runs_[id];
    const bool moved = run.served.port() != served->port() || run.served.sink_port() != served->sink_port();
    run.served = *served;
    if (!moved || run.leaves_by) continue;
    // A new one, or its ventilator is elsewhere now.
    run.process.signal(SIGKILL);
    run.over = false;
    run.restart_at = now;
  }
}

// Its jobs, if it has any, are nobody's.
void Agent::dismiss(Run& run, Instant now) {
  if (run.leaves_by) return;
  run.leaves_by = now + kLeaveWithin;
  run.process.signal(SIGTERM);
}

void Agent::tend(Instant now) {
  for (auto run = runs_.begin(); run != runs_.end();) {
    Run& each = run->second;
    if (each.leaves_by && now >= *each.leaves_by) {
      each.process.signal(++each.asked_to_leave == 1 ? SIGTERM : SIGKILL);
      each.leaves_by = now + kLeaveWithin;
    }
    const bool leaves = each.leaves_by || drains_ > 0;
    if (leaves && !each.process.running()) {
      forget_share(run->first, now);
      links_changed_ = true;
      run = runs_.erase(run);
      continue;
    }
    if (!each.process.running() && !each.over && now >= each.restart_at) start(run->first, each, now);
    ++run;
  }
}

ChildProgram Agent::program_of(const Run& run, int link) const {
  ChildProgram program{.executable = role_executable("worker"), .name = "fantail-worker", .extra = link};
  const auto add = [&program](const std::string& name, const std::string& value) {
    program.arguments.push_back("--" + name + "=" + value);
  };
  add("ventilator", options_.ventilator->with_port(run.served.port()).text());
  if (options_.sink) add("sink", options_.sink->with_port(run.served.sink_port()).text());
  add("slots", std::to_string(options_.slots.slots));
  add("async-slots", std::to_string(options_.slots.async_slots));
  for (const std::string& kind : options_.slots.kinds)
    add("kinds", kind);
  if (options_.slots.slowdown > 1) add("slowdown", std::to_string(options_.slots.slowdown));
  if (options_.common.insecure) program.arguments.emplace_back("--insecure");
  add("log-level", options_.common.log_level);
  add("parent", std::to_string(getpid()));
  add("slots-from", std::to_string(ChildProgram::kExtra));
  return program;
}

void Agent::start(const std::string& id, Run& run, Instant now) {
  forget_share(id, now);
  run.told = {};
  run.link.reset();
  links_changed_ = true;
  auto ends = SlotLink::make();
  std::optional<std::string> error = "cannot make a socket";
  if (ends) error = run.process.start(program_of(run, ends->second.get()), now);
  if (error) {
    log_->error("{}", *error);
    run.restart_at = run.process.restart_at(now);
    return;
  }
  run.link = std::move(ends->first);
  log_->info("run {}: started a worker for it", ulid_text(id));
}

void Agent::reap(Instant now) {
  for (auto& [id, run] : runs_) {
    const auto status = run.process.reap();
    if (!status) continue;
    forget_share(id, now);
    run.link.reset();
    links_changed_ = true;
    run.over = WIFEXITED(*status) && WEXITSTATUS(*status) == 0;  // told to leave
    if (run.over || run.leaves_by || drains_ > 0 || run.restart_at > now) continue;
    run.restart_at = run.process.restart_at(now);
    log_->warn("run {}: its worker ended with {}: starting it again", ulid_text(id), describe_end(*status));
  }
}

void Agent::forget_share(const std::string& id, Instant now) {
  threads_.remove(id, now);
  loops_.remove(id, now);
  decide_at_ = now;
}

void Agent::share(Instant now) {
  for (auto& [id, run] : runs_) {
    const auto demand = run.link ? run.link->last_demand() : std::nullopt;
    if (!demand) continue;
    const bool asynchronous = demand->asynchronous != 0;
    if (asynchronous != run.asynchronous) forget_share(id, now);
    run.asynchronous = asynchronous;
    (asynchronous ? loops_ : threads_)
        .set_demand(
            id, {run.served.priority(), demand->wanted, demand->used, demand->allotment == run.told.number},
            now);
    decide_at_ = now;
  }
  if (now < decide_at_ && !untold_) return;
  decide_at_ = std::min(threads_.decide(now), loops_.decide(now));
  untold_ = false;
  for (auto& [id, run] : runs_) {
    const std::uint32_t slots = (run.asynchronous ? loops_ : threads_).allotment(id);
    if (!run.link || slots == run.told.slots) continue;
    const SlotAllotment allotment{run.told.number + 1, slots};
    if (run.link->tell(allotment)) {
      run.told = allotment;
    } else {
      untold_ = true;
    }
  }
}

Instant Agent::next_wake() const {
  Instant wake = std::min(hello_at_, decide_at_);
  if (untold_) wake = std::min(wake, steady_now() + kTellAgain);
  for (const auto& [id, run] : runs_) {
    if (run.leaves_by) wake = std::min(wake, *run.leaves_by);
    if (!run.process.running() && !run.over) wake = std::min(wake, run.restart_at);
  }
  return wake;
}

// What runs finishes and is handed over.
void Agent::drain(int signal) {
  if (++drains_ == 1) log_->info("draining: running jobs finish, results are handed over");
  for (auto& [id, run] : runs_)
    run.process.signal(signal);
}

void Agent::tell_what_it_waits_for(Instant now) {
  if (now < heard_ + kVentilatorSilent || now < told_at_ + kTellSilentEvery) return;
  told_at_ = now;
  log_->warn("waiting for the ventilator at {}: start it there with `fantail ventilator --serve --bind …`",
             options_.ventilator->text());
}

}  // namespace

std::optional<int> run_agent(const WorkerOptions& options, Signals& signals, const Logger& logger) {
  return Agent(options, logger).run(signals);
}

}  // namespace fantail
