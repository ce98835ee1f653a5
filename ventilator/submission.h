// The input side of a run: reads the source on its thread, spools what it brings, and gives the dispatcher
// what is durable. After a restart it gives what was spooled before, and goes on reading behind it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/app/logging.h"
#include "ventilator/dispatcher.h"
#include "ventilator/input_reader.h"
#include "ventilator/kinds/kind_command.h"
#include "ventilator/run_opening.h"

namespace fantail {

class Submission {
 public:
  Submission(OpenedRun opened, RunRequest request, Logger logger);

  const Spool& spool() const { return opened_.spool; }
  const std::string& folder() const { return opened_.folder; }
  // Readable when advance() has something to do; -1: never.
  int descriptor() const { return reader_ ? reader_->descriptor() : -1; }
  bool has_space(Instant now) const { return now >= retry_at_; }
  // The spool cannot be relied on any more: the process has to end.
  bool broken() const { return broken_; }

  // At the start this is what a former life spooled. The dispatcher needs it before any message: what a
  // worker says to hold is taken for jobs that it knows.
  void give_durable(Instant now, Dispatcher& dispatcher, DispatchOutbox& out);
  // Takes one batch of the input, so that jobs go out while the rest is still being read. The answer is why
  // the input cannot be read to its end.
  std::optional<std::string> advance(Instant now, Dispatcher& dispatcher, DispatchOutbox& out);

  // ---- what the dispatcher wants kept
  bool advance_frontier(JobId frontier, Instant now);
  void record_deaths(const std::vector<JobSpan>& jobs, bool alone, Instant now);
  // What is spooled by now is all.
  void record_stop(const StopDecision& stop, Instant now);
  void record_end(Instant now);

 private:
  void give(Instant now, Dispatcher& dispatcher, DispatchOutbox& out);
  bool sync(Instant now);

  OpenedRun opened_;
  Logger log_;
  bool jobs_differ_ = false;  // in host, group or priority
  proto::InputFormat format_;
  std::unique_ptr<InputReader> reader_;  // empty: all is spooled
  std::uint64_t skipped_ = 0;
  std::vector<JobId> longest_;  // of the last inputs, for the dispatcher
  JobId given_ = 0;             // jobs below are the dispatcher's
  bool end_given_ = false;      // and it knows that there are no more
  Instant retry_at_{};          // no space: nothing is spooled before
  bool lacks_space_ = false;
  bool broken_ = false;
};

// What the dispatcher must know of a job, from what was submitted. The host is the one that a URL's request
// goes to, with its port; empty where the input is none.
SpooledJob read_spooled_job(const std::string& submitted, proto::InputFormat format);

}  // namespace fantail
