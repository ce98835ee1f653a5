// A job's process from its start to its end: its output is read, and it is stopped when the job has to be.
// TERM first; after the grace KILL, for its whole group and all else that it has started.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "pipeline/instant.h"
#include "worker/child/captured_stream.h"
#include "worker/child/descendants.h"
#include "worker/child/environment.h"
#include "worker/child/spawn.h"

namespace fantail {

// What a child writes, and where that goes.
struct ChildOutput {
  CapturedStream output{false};
  CapturedStream errors{true};
  OutputChannel* rest = nullptr;  // null: dropped
};

struct ChildLimits {
  Duration grace{0};
  Instant deadline = kNever;
};

struct ChildEnd {
  int wait_status = 0;                     // as waitpid tells it
  StopReason stopped = StopReason::kNone;  // it was, before it ended by itself
};

class ChildRun {
 public:
  // What is given must outlive the run; the buffer is for reading.
  ChildRun(SpawnedChild child, ChildOutput& output, const ChildEnvironment::Mark& mark,
           std::span<char> buffer)
      : child_(std::move(child)), output_(output), descendants_(child_.id, mark), buffer_(buffer) {}

  // Until the process has ended and with it all who hold its output; when it is stopped, until nothing is
  // left of it.
  ChildEnd wait(const StopToken& stop, const ChildLimits& limits);

 private:
  enum class Phase { kRuns, kTerminates, kKilled };

  bool is_over(Instant now) const;
  void look_at_clock(const StopToken& stop, const ChildLimits& limits, Instant now);
  void terminate(StopReason reason, Instant now, Duration grace);
  void kill_all(Instant now);
  void look_for_descendants(Instant now);
  void signal_escaped(int signal) const;
  Instant wakes_at(const ChildLimits& limits) const;
  bool read_until(Instant wake, int stop_descriptor);  // whether there was something to read
  ChildEnd finish();

  SpawnedChild child_;
  ChildOutput& output_;
  Descendants descendants_;
  std::span<char> buffer_;
  Phase phase_ = Phase::kRuns;
  StopReason reason_ = StopReason::kNone;
  Instant phase_ends_ = kNever;
  bool exited_ = false;
  bool all_gone_ = false;
  std::vector<Descendant> descendants_alive_;
  int uncertain_looks_ = 0;
  Instant next_look_{};
  Duration look_interval_{0};
};

}  // namespace fantail
