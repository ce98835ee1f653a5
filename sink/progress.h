// The progress of a run in one line: for a terminal, with a bar, and plain, for logs. Pure: the caller reads
// the clock and says when something was done.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "sink/run_summary.h"

namespace fantail {

class Progress {
 public:
  // How many jobs were done at that time. Called at every tick, also when nothing was done; times do not go
  // back.
  void sample(std::chrono::microseconds elapsed, std::uint64_t done);

  // At most width columns, no newline. The total is shown once it is known; what has no room is left out.
  std::string line(const RunSummary& run, std::chrono::microseconds elapsed, unsigned width, bool unicode,
                   bool color) const;
  // 63% 632/1000 ok=619 failed=4 running=8 rate=1204/s eta=3s elapsed=5s
  std::string plain(const RunSummary& run, std::chrono::microseconds elapsed) const;

 private:
  struct Sample {
    std::chrono::microseconds elapsed;
    std::uint64_t done;
  };

  double rate() const;  // jobs per second, over the last five seconds

  std::deque<Sample> samples_;
};

}  // namespace fantail
