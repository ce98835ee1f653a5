#include "cli/supervisor.h"

#include <fcntl.h>
#include <spawn.h>
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

constexpr Duration kBackoffFirst = std::chrono::milliseconds(100);
constexpr Duration kBackoffMax = std::chrono::seconds(5);
// A child that lived so long has recovered from what killed the one before.
constexpr Duration kLivedLong = std::chrono::seconds(10);
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

Supervisor::~Supervisor() {
  kill_all(SIGKILL);
  for (Child& child : children_) {
    if (child.pid != 0) waitpid(child.pid, nullptr, 0);
  }
}

void Supervisor::start(Child& child, Instant now) {
  std::string name = std::string("fantail-") + name_of(child.command.role);
  std::vector<char*> arguments{name.data()};
  for (std::string& argument : child.command.arguments)
    arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (child.command.role != ChildCommand::Role::kVentilator) {
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, child.command.executable.c_str(), &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  child.started = now;
  if (error != 0) {
    std::cerr << "fantail run: cannot execute " << child.command.executable << ": " << std::strerror(error)
              << '\n';
    child.over = true;
    exit_code_ = kExitInfrastructure;
    kill_at_ = now;
    return;
  }
  child.pid = pid;
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
      if (child.pid == 0 && !child.over && !exit_code_ && now >= child.restart_at) start(child, now);
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
    if (child.pid == 0 && !child.over) wake = std::min(wake, child.restart_at);
  }
  return wake;
}

void Supervisor::reap(Instant now) {
  int status = 0;
  for (Child& child : children_) {
    if (child.pid == 0 || waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
    child.pid = 0;
    on_exit(child, status, now);
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
  if (child.backoff == Duration{0} || now >= child.started + kLivedLong) {
    child.backoff = kBackoffFirst;
  } else {
    child.backoff = std::min(child.backoff * 2, kBackoffMax);
  }
  child.restart_at = now + child.backoff;
  std::cerr << "fantail run: a " << name_of(role) << " died"
            << (exited ? " with exit code " + std::to_string(WEXITSTATUS(status))
                       : " of signal " + std::to_string(WTERMSIG(status)))
            << ": starting it again\n";
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
    return child.command.role == ChildCommand::Role::kWorker && child.pid != 0;
  });
}

void Supervisor::tell(ChildCommand::Role role, int signal) {
  for (const Child& child : children_) {
    if (child.command.role == role && child.pid != 0) kill(child.pid, signal);
  }
}

void Supervisor::kill_all(int signal) {
  for (const Child& child : children_) {
    if (child.pid != 0) kill(child.pid, signal);
  }
}

bool Supervisor::all_over() const {
  return std::all_of(children_.begin(), children_.end(),
                     [this](const Child& child) { return child.pid == 0 && (child.over || exit_code_); });
}

}  // namespace fantail
