// A child process that is started again when it dies. It has a process group of its own, so that an interrupt
// from the terminal does not reach it, and its standard input is empty unless it is told otherwise.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/instant.h"

namespace fantail {

struct ChildProgram {
  std::string executable;
  std::string name;  // as the process calls itself
  std::vector<std::string> arguments{};
  bool keeps_input = false;  // has this process's standard input
  int output = -1;           // descriptors of its standard output and error; -1: this process's
  int error = -1;
  int extra = -1;                          // becomes its descriptor kExtra
  std::vector<std::string> environment{};  // NAME=value, beside this process's

  static constexpr int kExtra = 3;
};

// The executable of a role: beside this one, or in libexec/fantail when installed.
std::string role_executable(const std::string& role);

class ChildProcess {
 public:
  ChildProcess() = default;
  ChildProcess(ChildProcess&& other) noexcept { *this = std::move(other); }
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  // it is not left behind

  // Empty: it runs. Else why it does not, as a sentence.
  std::optional<std::string> start(const ChildProgram& program, Instant now);
  bool running() const { return pid_ != 0; }
  int pid() const { return pid_; }
  void signal(int number) const;
  // Its wait status, once, when it has ended.
  std::optional<int> reap();
  // When to start again what has died: soon, and later each time that it does not live long.
  Instant restart_at(Instant now);

 private:
  pid_t pid_ = 0;  // 0: not running
  Instant started_{};
  Duration backoff_{0};
};

// "exit code 3", "signal 9"
std::string describe_end(int wait_status);

}  // namespace fantail
