#include "cli/supervisor.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "pipeline/app/command_line.h"
#include "pipeline/net/poller.h"

namespace fantail {

namespace {

constexpr Duration kFarewell = std::chrono::seconds(3);
constexpr Duration kVentilatorAfterSink = std::chrono::seconds(1);

const char* name_of(ChildCommand::Role role) {
  switch (role) {
    case ChildCommand::Role::kSink:
      return "sink";
    case ChildCommand::Role::kVentilator:
      return "ventilator";
    case ChildCommand::Role::kWorker:
      return "worker";
  }
  return "child";
}

}  // namespace

std::string PrivateFolder::parent() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  // An ipc path has room for about a hundred characters.
  if (runtime != nullptr && access(runtime, W_OK) == 0 && std::strlen(runtime) < 50) return runtime;
  return "/tmp";
}

PrivateFolder::PrivateFolder() : path_(parent() + "/fantail-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) path_.clear();
}

PrivateFolder::~PrivateFolder() {
  std::error_code failure;
  if (!path_.empty()) std::filesystem::remove_all(path_, failure);
}

Supervisor::Supervisor(std::vector<ChildCommand> commands) {
  for (ChildCommand& command : commands)
    children_.push_back(Child{.command = std::move(command)});
}

void Supervisor::start(Child& child, Instant now) {
  const ChildCommand& command = child.command;
  const ChildProgram program{.executable = command.executable,
                             .name = std::string("fantail-") + name_of(command.role),
                             .arguments = command.arguments,
                             .keeps_input = command.role == ChildCommand::Role::kVentilator};
  const auto error = child.process.start(program, now);
  if (!error) return;
  std::cerr << "fantail run: " << *error << '\n';
  child.over = true;
  exit_code_ = kExitInfrastructure;
  kill_at_ = now;
}

int Supervisor::run(Signals& signals) {
  // Children are no longer in the terminal's foreground group, and may write to it all the same.
  std::signal(SIGTTOU, SIG_IGN);
  for (Child& child : children_)
    start(child, steady_now());
  Poller poller;
  poller.add(signals.descriptor());
  while (!all_over()) {
    Instant now = steady_now();
    if (kill_at_ && now >= *kill_at_) kill_all(SIGKILL);
    for (Child& child : children_) {
      if (!child.process.running() && !child.over && !exit_code_ && now >= child.restart_at)
        start(child, now);
    }
    poller.wait_until(next_wake(now));
    now = steady_now();
    while (const auto signal = signals.next()) {
      if (*signal == SIGINT) tell(ChildCommand::Role::kVentilator, SIGINT);
      if (*signal == SIGTERM) suspend(now);
    }
    reap(now);
  }
  return exit_code_.value_or(kExitInfrastructure);
}

Instant Supervisor::next_wake(Instant now) const {
  Instant wake = kill_at_ && *kill_at_ > now ? *kill_at_ : now + std::chrono::seconds(1);
  for (const Child& child : children_) {
    if (!child.process.running() && !child.over) wake = std::min(wake, child.restart_at);
  }
  return wake;
}

void Supervisor::reap(Instant now) {
  for (Child& child : children_) {
    if (const auto status = child.process.reap()) on_exit(child, *status, now);
  }
}

void Supervisor::on_exit(Child& child, int status, Instant now) {
  const bool exited = WIFEXITED(status);
  const ChildCommand::Role role = child.command.role;
  if (suspended_ || exit_code_) {
    child.over = true;  // everybody leaves
    if (suspended_ && !any_worker()) tell(ChildCommand::Role::kSink, SIGTERM);
    // A worker that was about to join hears of the end from nobody else.
    if (!suspended_ && role == ChildCommand::Role::kVentilator) tell(ChildCommand::Role::kWorker, SIGTERM);
    return;
  }
  if (role == ChildCommand::Role::kVentilator && exited) {
    child.over = true;
    exit_code_ = WEXITSTATUS(status);
    kill_at_ = now + (*exit_code_ != kExitUsage ? kFarewell : Duration{0});
    tell(ChildCommand::Role::kWorker, SIGTERM);
    return;
  }
  if (role == ChildCommand::Role::kSink && exited) {
    child.over = true;
    // After a run the ventilator follows at once; after a false start it would wait for a sink.
    exit_code_ = WEXITSTATUS(status);
    kill_at_ = now + kVentilatorAfterSink;
    return;
  }
  if (role == ChildCommand::Role::kWorker && exited && WEXITSTATUS(status) == 0) {
    child.over = true;  // told to leave, or drained
    return;
  }
  child.restart_at = child.process.restart_at(now);
  std::cerr << "fantail run: a " << name_of(role) << " died " << (exited ? "with " : "of ")
            << describe_end(status) << ": starting it again\n";
}

// Workers finish what they run and hand it over; the sink leaves after them. Told again, everybody leaves at
// once.
void Supervisor::suspend(Instant now) {
  if (suspended_) kill_at_ = now;
  suspended_ = true;
  exit_code_ = kExitSuspended;
  tell(ChildCommand::Role::kVentilator, SIGTERM);
  tell(ChildCommand::Role::kWorker, SIGTERM);
  if (!any_worker()) tell(ChildCommand::Role::kSink, SIGTERM);
}

bool Supervisor::any_worker() const {
  return std::any_of(children_.begin(), children_.end(), [](const Child& child) {
    return child.command.role == ChildCommand::Role::kWorker && child.process.running();
  });
}

void Supervisor::tell(ChildCommand::Role role, int signal) {
  for (const Child& child : children_) {
    if (child.command.role == role) child.process.signal(signal);
  }
}

void Supervisor::kill_all(int signal) {
  for (const Child& child : children_)
    child.process.signal(signal);
}

bool Supervisor::all_over() const {
  return std::all_of(children_.begin(), children_.end(), [this](const Child& child) {
    return !child.process.running() && (child.over || exit_code_);
  });
}

}  // namespace fantail
