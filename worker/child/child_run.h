// A job's process from its start to its end: its output is read, and it is stopped when the job has to be.
#pragma once

#include <span>
#include <utility>

#include "pipeline/instant.h"
#include "worker/child/captured_stream.h"
#include "worker/child/child_stop.h"
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
      : child_(std::move(child)), output_(output), ending_(child_.id, mark), buffer_(buffer) {}

  // Until the process has ended and with it all who hold its output; when it is stopped, until nothing is
  // left of it.
  ChildEnd wait(const StopToken& stop, const ChildLimits& limits);

 private:
  bool is_over(Instant now) const;
  void begin_stop_if_due(const StopToken& stop, const ChildLimits& limits, Instant now);
  bool read_until(Instant wake, int stop_descriptor);  // whether there was something to read
  ChildEnd finish();

  SpawnedChild child_;
  ChildOutput& output_;
  ChildStop ending_;
  std::span<char> buffer_;
  StopReason reason_ = StopReason::kNone;
  bool exited_ = false;
};

}  // namespace fantail
