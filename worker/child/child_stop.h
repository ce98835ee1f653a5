// The end of a process that has to be stopped: TERM first; after the grace KILL, for its whole group and all
// else that it has started, until nothing is left. Sends signals and looks at /proc; who waits is its caller.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "pipeline/instant.h"
#include "worker/child/descendants.h"
#include "worker/child/environment.h"

namespace fantail {

// What a run tells of the time between TERM and KILL; 0: two seconds.
Duration grace_of(std::uint64_t grace_us);

class ChildStop {
 public:
  // The child must not have been waited for, and what is given must outlive this.
  ChildStop(pid_t child, const ChildEnvironment::Mark& mark) : child_(child), descendants_(child, mark) {}

  void begin(Instant now, Duration grace);
  bool has_begun() const { return phase_ != Phase::kRuns; }
  // Requires: it has begun. exited: the child itself has. Returns when it next needs to run.
  Instant on_tick(Instant now, bool exited);
  // Nothing is left of it; or something is that even KILL did not end.
  bool is_over(Instant now) const { return all_gone_ || (phase_ == Phase::kKilled && now >= phase_ends_); }

 private:
  enum class Phase { kRuns, kTerminates, kKilled };

  void kill_all(Instant now);
  void look_for_descendants(Instant now);
  void signal_escaped(int signal) const;

  pid_t child_;
  Descendants descendants_;
  Phase phase_ = Phase::kRuns;
  Instant phase_ends_ = kNever;
  bool all_gone_ = false;
  std::vector<Descendant> descendants_alive_;
  int uncertain_looks_ = 0;
  Instant next_look_{};
  Duration look_interval_{0};
};

}  // namespace fantail
