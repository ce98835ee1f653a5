// What is noted of single outcomes, and the run's goal: so many of them, and it is over. Only durable ones
// count, so that what a killed sink has told of is never taken back.
#include "pipeline/halt.h"
#include "sink/collector.h"

namespace fantail {

namespace {

// They are written with every commit.
constexpr std::size_t kErrorsMax = 50;
constexpr std::size_t kErrorBytesMax = 500;

std::uint64_t counted(const JobCounts& counts, proto::Halt::What what) {
  switch (what) {
    case proto::Halt::FAILED:
      return counts.failed;
    case proto::Halt::OK:
      return counts.ok;
    default:
      return counts.failed + counts.ok;
  }
}

std::string reason_of(const proto::Halt& halt, const JobCounts& counts) {
  return std::to_string(counts.failed) + (counts.failed == 1 ? " job" : " jobs") + " failed (--halt " +
         format_halt(halt) + ")";
}

}  // namespace

std::optional<std::uint64_t> Collector::goal() const {
  return jobs_to_halt(run_policy_.halt(), closed_ ? std::optional(counts_.submitted) : std::nullopt);
}

void Collector::note_winner(const Outcome& outcome, Instant now) {
  if (winner_ || run_policy_.halt().what() != proto::Halt::OK || counts_.ok != goal()) return;
  winner_.emplace();
  winner_->set_job(outcome.job);
  winner_->set_input(outcome.input.data(), outcome.input.size());
  winner_->set_at(now.time_since_epoch().count());
}

void Collector::note_error(const Outcome& outcome) {
  if (errors_.size() == kErrorsMax) return;
  proto::FailedJob& error = errors_.emplace_back();
  error.set_job(outcome.job);
  error.set_input(std::string(outcome.input.substr(0, kErrorBytesMax)));
  error.set_code(std::string(outcome.error_code));
  error.set_message(std::string(outcome.error_message.substr(0, kErrorBytesMax)));
}

void Collector::check_goal(Instant now, CollectorOutbox& out) {
  const proto::Halt& halt = run_policy_.halt();
  const std::optional<std::uint64_t> jobs = goal();
  if (!jobs || own_end_ != proto::RUN_END_NONE || counted(durable_counts_, halt.what()) < *jobs) return;
  if (halt.what() == proto::Halt::FAILED) {
    set_end(proto::RUN_END_HALTED, halt.level(), reason_of(halt, durable_counts_), now, out);
  } else {
    set_end(proto::RUN_END_GOAL, halt.level(), {}, now, out);
  }
}

bool Collector::missed_goal() const {
  return run_policy_.halt().what() == proto::Halt::OK && counts_.ok < goal();
}

std::optional<RunSummary::Winner> Collector::winner() const {
  if (!winner_) return std::nullopt;
  RunSummary::Winner winner{winner_->job(), winner_->input(), 0, 0};
  const Instant at{Duration(winner_->at())};
  if (first_dispatch_ && at > *first_dispatch_)
    winner.after_us = static_cast<std::uint64_t>((at - *first_dispatch_).count());
  const std::uint64_t ended = started_jobs_ - stopped_jobs_;
  const std::uint64_t mean = ended == 0 ? 0 : (work_us_ - stopped_work_us_) / ended;
  const std::uint64_t expected = mean * counts_.cancelled;
  winner.saved_us = expected > stopped_work_us_ ? expected - stopped_work_us_ : 0;
  return winner;
}

}  // namespace fantail
