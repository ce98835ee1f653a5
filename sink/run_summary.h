// The figures of a run, as the report, the summary line and the progress line show them. Plain values; the
// collector fills them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/dropped_messages.h"
#include "sink/efficiency.h"

namespace fantail {

enum class RunState { kCompleted, kHalted, kTimedOut, kCancelled, kFailed };

struct JobCounts {
  std::uint64_t submitted = 0;
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t expired = 0;
  std::uint64_t lost = 0;  // submitted minus known to the ledger: must be 0
  std::uint64_t done() const { return ok + failed + cancelled + expired; }
};

struct JobIdRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

struct RunSummary {
  // The ok outcome that reached the goal of --first or --halt …,success=N.
  struct Winner {
    std::uint64_t job = 0;
    std::string input;
    std::uint64_t after_us = 0;  // since the first dispatch
    std::uint64_t saved_us =
        0;  // work that the cancelled jobs would still have taken, by the average of the others
  };

  // Races in groups, where each has a goal of its own.
  struct Races {
    std::uint64_t groups = 0;
    std::uint64_t won = 0;
    std::vector<std::string> without_winner;  // the first 50 of the others, once the run is over
    std::uint64_t saved_us = 0;               // as a winner's
  };

  // Second copies of stragglers, where the run is hedged.
  struct Hedged {
    std::uint64_t copies = 0;
    std::uint64_t won = 0;       // jobs that they brought to their end
    std::uint64_t extra_us = 0;  // for how long there was a copy, summed over copies
    std::uint64_t lost_us = 0;   // worked by either while the other one brought the outcome
  };

  std::string run_id;  // ULID text, 26 characters
  std::string kind;
  RunState state = RunState::kCompleted;
  std::string end_reason;  // one sentence where the run did not complete; else empty
  JobCounts jobs;
  bool input_complete = true;
  std::uint64_t skipped = 0;  // special files that the walk passed over
  std::uint64_t retries = 0;
  std::uint64_t duplicates = 0;   // results of jobs that had their outcome already
  DroppedMessages dropped;        // by sink and ventilator
  std::uint32_t workers = 0;      // that ever took part
  std::uint32_t workers_now = 0;  // at the moment
  std::uint32_t running = 0;      // jobs in slots at the moment
  std::uint32_t max_running = 0;
  std::uint64_t startup_us = 0;
  std::uint64_t wall_us = 0;       // from the dispatch of the first job to the commit of the last outcome
  std::uint64_t work_us = 0;       // sum of all durations
  std::uint64_t started_jobs = 0;  // outcomes with attempt >= 1: what the average is over
  std::optional<Efficiency> efficiency;
  std::vector<JobIdRange> without_rows;  // cancelled or expired before they started, too many for a row each
  std::optional<Winner> winner;
  std::optional<Races> races;
  std::optional<Hedged> hedged;
  struct Error {
    std::uint64_t job = 0;
    std::string input, code, message;
  };
  std::vector<Error> errors;  // the first 50 jobs that failed
  bool total_known = false;   // the input was read to its end: jobs.submitted is the total
};

}  // namespace fantail
