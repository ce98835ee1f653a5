// Starts the processes of a run, starts them again when they die, and ends with them. An interrupt from the
// terminal reaches this process alone, which passes it on once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/app/child_process.h"
#include "pipeline/app/signals.h"
#include "pipeline/instant.h"

namespace fantail {

// A directory that only this user may enter, removed with the object.
class PrivateFolder {
 public:
  PrivateFolder();
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  const std::string& path() const { return path_; }  // empty: it could not be made
  static std::string parent();

 private:
  std::string path_;
};

struct ChildCommand {
  enum class Role { kSink, kVentilator, kWorker };
  Role role;
  std::string executable;
  std::vector<std::string> arguments;
};

class Supervisor {
 public:
  explicit Supervisor(std::vector<ChildCommand> commands);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  int run(Signals& signals);  // the run's exit code

 private:
  struct Child {
    ChildCommand command;
    ChildProcess process{};
    Instant restart_at{};  // when it is to be started again
    bool over = false;     // ended for good
  };

  void start(Child& child, Instant now);
  void reap(Instant now);
  void on_exit(Child& child, int status, Instant now);
  void suspend(Instant now);
  bool any_worker() const;
  void tell(ChildCommand::Role role, int signal);
  void kill_all(int signal);
  bool all_over() const;
  Instant next_wake(Instant now) const;

  std::vector<Child> children_;
  std::optional<int> exit_code_;
  bool suspended_ = false;
  std::optional<Instant> kill_at_;  // whoever is still there then is killed
};

}  // namespace fantail
