// What a job's process has started, wherever it went: children may leave their parent, their group and their
// session, and are then found by the environment that they took along.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <vector>

#include "worker/child/environment.h"

namespace fantail {

struct Descendant {
  pid_t id = 0;
  pid_t group = 0;
};

// Those of one job. The job's process must not have been waited for: its id would name another.
class Descendants {
 public:
  Descendants(pid_t job, const ChildEnvironment::Mark& mark) : job_(job), mark_(mark) {}

  // The living ones, without the job's own process. One that was found once is found again, whatever it does.
  // Only those that are below this process: it has to adopt orphans.
  std::vector<Descendant> find();
  // Whether the last look may have missed one: a process that is just beginning a program shows nothing of
  // its environment for a moment.
  bool uncertain() const { return uncertain_; }

 private:
  struct Process {
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    std::uint64_t started = 0;
    bool is_alive = false;
  };
  using Processes = std::map<pid_t, Process>;

  static Processes read_processes();
  bool is_of_job(pid_t id, const Process& process, const Processes& found);
  bool carries_mark(pid_t id, const Process& process);

  pid_t job_;
  const ChildEnvironment::Mark& mark_;
  std::map<pid_t, std::uint64_t> known_;  // when it started
  bool uncertain_ = false;
};

}  // namespace fantail
