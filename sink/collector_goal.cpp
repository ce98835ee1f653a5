// What is noted of single outcomes, and the run's goal: so many of them, and it is over. Only durable ones
// count, so that what a killed sink has told of is never taken back.
#include <algorithm>

#include "pipeline/halt.h"
#include "sink/collector.h"

namespace fantail {

namespace {

// They are written with every commit.
constexpr std::size_t kErrorsMax = 50;
constexpr std::size_t kErrorBytesMax = 500;
// Names of groups in one message.
constexpr std::size_t kWonBytesMax = 256 << 10;

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

void Collector::set_policy(const proto::RunPolicy& policy) {
  run_policy_ = policy;
  groups_.set_goal(policy.halt().per_group() ? policy.halt().jobs() : 0);
}

// Of the whole run.
std::optional<std::uint64_t> Collector::goal() const {
  if (groups_.any()) return std::nullopt;
  return jobs_to_halt(run_policy_.halt(), closed_ ? std::optional(counts_.submitted) : std::nullopt);
}

void Collector::note_winner(const Outcome& outcome, Instant now) {
  if (winner_ || run_policy_.halt().what() != proto::Halt::OK || counts_.ok != goal()) return;
  winner_.emplace();
  winner_->set_job(outcome.job);
  winner_->set_input(kind_->job_of(outcome.input).input);
  winner_->set_at(now.time_since_epoch().count());
}

void Collector::note_error(const Outcome& outcome) {
  if (errors_.size() == kErrorsMax) return;
  proto::FailedJob& error = errors_.emplace_back();
  error.set_job(outcome.job);
  error.set_input(kind_->job_of(outcome.input).input.substr(0, kErrorBytesMax));
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

// What the question's asker does not know of, in pieces.
void Collector::put_won_groups(proto::RunLog& log) const {
  const std::vector<std::string>& won = groups_.won();
  const bool knows = question_->sink_epoch() == policy_.epoch;
  std::uint64_t next = knows ? std::min<std::uint64_t>(question_->won_offset(), won.size()) : 0;
  for (std::size_t bytes = 0; next < won.size() && bytes < kWonBytesMax; ++next) {
    log.add_won_groups(won[next]);
    bytes += won[next].size();
  }
  log.set_won_offset(next);
}

bool Collector::missed_goal() const {
  if (groups_.any()) return groups_.reached() < groups_.groups();
  return run_policy_.halt().what() == proto::Halt::OK && counts_.ok < goal();
}

std::optional<RunSummary::Winner> Collector::winner() const {
  if (!winner_) return std::nullopt;
  RunSummary::Winner winner{winner_->job(), winner_->input(), 0, 0};
  const Instant at{Duration(winner_->at())};
  if (first_dispatch_ && at > *first_dispatch_)
    winner.after_us = static_cast<std::uint64_t>((at - *first_dispatch_).count());
  winner.saved_us = work_saved();
  return winner;
}

// What the cancelled jobs would still have taken, by the average of the others.
std::uint64_t Collector::work_saved() const {
  const std::uint64_t ended = started_jobs_ - stopped_jobs_;
  const std::uint64_t mean = ended == 0 ? 0 : (work_us_ - stopped_work_us_) / ended;
  const std::uint64_t expected = mean * counts_.cancelled;
  return expected > stopped_work_us_ ? expected - stopped_work_us_ : 0;
}

std::optional<RunSummary::Races> Collector::races() const {
  if (!groups_.any()) return std::nullopt;
  RunSummary::Races races{groups_.groups(), groups_.reached(), {}, work_saved()};
  if (ended_) races.without_winner = groups_.unreached(kErrorsMax);
  return races;
}

}  // namespace fantail
