#include "pipeline/app/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>

namespace fantail {

namespace {

constexpr Duration kBackoffFirst = std::chrono::milliseconds(100);
constexpr Duration kBackoffMax = std::chrono::seconds(5);
// A child that lived so long has recovered from what killed the one before.
constexpr Duration kLivedLong = std::chrono::seconds(10);

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// A name that is given again is the new one's.
std::vector<std::string> merged_environment(const std::vector<std::string>& more) {
  std::vector<std::string> merged = more;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('=') + 1);
    const bool given = std::any_of(more.begin(), more.end(),
                                   [name](const std::string& each) { return each.starts_with(name); });
    if (!given) merged.emplace_back(text);
  }
  return merged;
}

}  // namespace

std::string role_executable(const std::string& role) {
  std::error_code failure;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const std::filesystem::path beside = self.parent_path() / ("fantail-" + role);
  if (std::filesystem::exists(beside, failure)) return beside.string();
  return (self.parent_path().parent_path() / "libexec" / "fantail" / ("fantail-" + role)).string();
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(started_, other.started_);
  std::swap(backoff_, other.backoff_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::optional<std::string> ChildProcess::start(const ChildProgram& program, Instant now) {
  std::vector<std::string> arguments{program.name};
  arguments.insert(arguments.end(), program.arguments.begin(), program.arguments.end());
  std::vector<std::string> environment = merged_environment(program.environment);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (!program.keeps_input) posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (program.output >= 0) posix_spawn_file_actions_adddup2(&files, program.output, STDOUT_FILENO);
  if (program.error >= 0) posix_spawn_file_actions_adddup2(&files, program.error, STDERR_FILENO);
  if (program.extra >= 0) posix_spawn_file_actions_adddup2(&files, program.extra, ChildProgram::kExtra);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, program.executable.c_str(), &files, &attributes,
                                pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  started_ = now;
  if (error != 0) return "cannot execute " + program.executable + ": " + std::strerror(error);
  pid_ = pid;
  return std::nullopt;
}

void ChildProcess::signal(int number) const {
  if (pid_ != 0) kill(pid_, number);
}

std::optional<int> ChildProcess::reap() {
  int status = 0;
  if (pid_ == 0 || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  return status;
}

Instant ChildProcess::restart_at(Instant now) {
  if (backoff_ == Duration{0} || now >= started_ + kLivedLong) {
    backoff_ = kBackoffFirst;
  } else {
    backoff_ = std::min(backoff_ * 2, kBackoffMax);
  }
  return now + backoff_;
}

std::string describe_end(int wait_status) {
  return WIFEXITED(wait_status) ? "exit code " + std::to_string(WEXITSTATUS(wait_status))
                                : "signal " + std::to_string(WTERMSIG(wait_status));
}

}  // namespace fantail
