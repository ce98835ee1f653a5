// How the collector takes outcomes in, and what a run's figures are.
#include <algorithm>
#include <optional>

#include "pipeline/column.h"
#include "pipeline/halt.h"
#include "pipeline/job_ranges.h"
#include "pipeline/ulid.h"
#include "sink/collector.h"

namespace fantail {

namespace {

void add_hedged(const proto::Hedged& more, proto::Hedged& sums) {
  sums.set_copies(sums.copies() + more.copies());
  sums.set_won(sums.won() + more.won());
  sums.set_extra_us(sums.extra_us() + more.extra_us());
  sums.set_lost_us(sums.lost_us() + more.lost_us());
}

std::uint64_t* count_of(JobCounts& counts, Status status) {
  switch (status) {
    case Status::kOk:
      return &counts.ok;
    case Status::kFailed:
      return &counts.failed;
    case Status::kCancelled:
      return &counts.cancelled;
    case Status::kExpired:
      return &counts.expired;
  }
  return &counts.failed;
}

// A peer's message whose columns fit together.
class ResultColumns {
 public:
  static std::optional<ResultColumns> open(const proto::Results& results) {
    const std::uint32_t count = results.count();
    const auto fits = [count](int size) { return size == 0 || static_cast<std::uint32_t>(size) == count; };
    const auto inputs = ColumnReader::open(results.inputs(), count);
    const auto payloads = ColumnReader::open(results.payloads(), count);
    if (!inputs || !payloads || !fits(results.jobs_size()) || !fits(results.statuses_size()) ||
        !fits(results.attempts_size()) || !fits(results.queued_us_size()) ||
        !fits(results.duration_us_size())) {
      return std::nullopt;
    }
    for (const int status : results.statuses()) {
      if (status < proto::STATUS_OK || status > proto::STATUS_EXPIRED) return std::nullopt;
    }
    const auto sane = [](std::uint64_t id) { return id < kJobIdsMax; };
    if (!sane(results.first_job()) || !std::all_of(results.jobs().begin(), results.jobs().end(), sane))
      return std::nullopt;
    return ResultColumns(results, *inputs, *payloads);
  }

  std::uint32_t left() const { return results_.count() - inputs_.index(); }
  // The next jobs, as far as their ids are consecutive.
  JobSpan next_span() const {
    std::uint32_t index = inputs_.index();
    if (results_.jobs_size() == 0)
      return {results_.first_job() + index, results_.first_job() + results_.count()};
    JobSpan span{id(index), id(index) + 1};
    while (++index < results_.count() && id(index) == span.end)
      ++span.end;
    return span;
  }
  // Requires of both: there are so many left.
  void skip(std::uint64_t count) {
    inputs_.skip(static_cast<std::uint32_t>(count));
    payloads_.skip(static_cast<std::uint32_t>(count));
  }
  void next(JobId job, Outcome& outcome) {
    const int index = static_cast<int>(inputs_.index());
    outcome.job = job;
    outcome.input = inputs_.next();
    outcome.payload = payloads_.next();
    if (results_.attempts_size() > 0) outcome.attempt = results_.attempts(index);
    if (results_.statuses_size() > 0) outcome.status = static_cast<Status>(results_.statuses(index));
    if (results_.queued_us_size() > 0) outcome.queued_us = results_.queued_us(index);
    if (results_.duration_us_size() > 0) outcome.duration_us = results_.duration_us(index);
    outcome.error_code = {};
    outcome.error_message = {};
    while (failure_ != results_.failures().end() && failure_->index() < static_cast<std::uint32_t>(index))
      ++failure_;
    if (failure_ == results_.failures().end() || failure_->index() != static_cast<std::uint32_t>(index))
      return;
    outcome.error_code = failure_->code();
    outcome.error_message = failure_->message();
  }

 private:
  ResultColumns(const proto::Results& results, ColumnReader inputs, ColumnReader payloads)
      : results_(results), inputs_(inputs), payloads_(payloads), failure_(results.failures().begin()) {}
  JobId id(std::uint32_t index) const { return results_.jobs(static_cast<int>(index)); }

  const proto::Results& results_;
  ColumnReader inputs_;
  ColumnReader payloads_;
  google::protobuf::RepeatedPtrField<proto::Failure>::const_iterator failure_;
};

}  // namespace

void Collector::on_results(const proto::Results& results, Instant now, Ledger& ledger) {
  if (!run_open()) return;
  if (results.run_id() != run_id_) {
    ++dropped_.stale;
    return;
  }
  std::optional<ResultColumns> columns = ResultColumns::open(results);
  if (!columns) {
    ++dropped_.forged;
    return;
  }
  // What is not taken comes again.
  const bool taken = ended_ || take_outputs(results, ledger);
  // The ventilator learns of its proposals from the log.
  if (taken && results.sequence() > 0) uncommitted_acks_[results.worker_id()].push_back(results.sequence());
  if (ended_) {
    ++dropped_.late;
    return;
  }
  std::string worker_name;
  if (!results.worker_id().empty()) {
    const auto name = worker_names_.find(results.worker_id());
    worker_name = name == worker_names_.end() ? ulid_text(results.worker_id()) : name->second;
  }
  const RangeSet copies = set_below(kJobIdsMax, results.copies());
  Outcome outcome;
  outcome.worker = worker_name;
  outcome.worker_id = results.worker_id();
  while (columns->left() > 0) {
    JobSpan span = columns->next_span();
    // The first final outcome wins.
    for (const JobSpan& fresh : done_.missing_from(span)) {
      count_duplicates({span.first, fresh.first}, copies);
      columns->skip(fresh.first - span.first);
      for (JobId job = fresh.first; job < fresh.end; ++job) {
        columns->next(job, outcome);
        record(outcome, now, ledger);
      }
      take_as_done(fresh);
      for (const JobSpan& part : copies.within(fresh))
        by_copies_.insert(part);
      span.first = fresh.end;
    }
    count_duplicates(span, copies);
    columns->skip(span.size());
  }
}

// Of two copies one comes too late, and that is no trouble.
void Collector::count_duplicates(JobSpan jobs, const RangeSet& copies) {
  RangeSet expected;
  for (const JobSpan& part : copies.within(jobs))
    expected.insert(part);
  for (const JobSpan& part : by_copies_.within(jobs))
    expected.insert(part);
  duplicates_ += jobs.size() - expected.size();
}

// Output of jobs that are done is nobody's.
bool Collector::take_outputs(const proto::Results& results, Ledger& ledger) {
  bool taken = true;
  for (const proto::JobOutput& output : results.outputs()) {
    if (kind_->exec_spec() == nullptr || output.job() >= kJobIdsMax) {
      ++dropped_.forged;
    } else if (!done_.contains(output.job())) {
      taken = ledger.record_output(results.worker_id(), output) && taken;
    }
  }
  return taken;
}

void Collector::record(const Outcome& outcome, Instant now, Ledger& ledger) {
  digest_.add(kind_->add(outcome));
  ++*count_of(counts_, outcome.status);
  if (groups_.any()) groups_.on_outcome(kind_->job_of(outcome.input).group, outcome.status);
  if (outcome.attempt > 0) {
    ++started_jobs_;
    work_us_ += outcome.duration_us;
  }
  if (outcome.status == Status::kOk) {
    note_winner(outcome, now);
    if (run_policy_.timeout_percent() > 0 || run_policy_.has_hedge()) ok_durations_.add(outcome.duration_us);
  } else if (outcome.status == Status::kFailed) {
    note_error(outcome);
  } else if (outcome.attempt > 0) {
    ++stopped_jobs_;
    stopped_work_us_ += outcome.duration_us;
  }
  ledger.record(*kind_, outcome);
}

void Collector::take_as_done(JobSpan jobs) {
  done_.insert(jobs);
  if (!uncommitted_log_.empty() && uncommitted_log_.back().end == jobs.first) {
    uncommitted_log_.back().end = jobs.end;
  } else {
    uncommitted_log_.push_back(jobs);
  }
}

// What only the ventilator knows, in this life and in those before.
void Collector::take_facts(const proto::RunFacts& facts, Instant now, CollectorOutbox& out) {
  facts_ = facts;
  facts_.set_retries(facts.retries() + former_facts_.retries());
  facts_.set_retried_us(facts.retried_us() + former_facts_.retried_us());
  if (facts.has_hedged()) add_hedged(former_facts_.hedged(), *facts_.mutable_hedged());
  add_slot_time(former_facts_.slot_time(), *facts_.mutable_slot_time());
  const proto::Dropped& former = former_facts_.dropped();
  facts_.mutable_dropped()->set_late(facts.dropped().late() + former.late());
  facts_.mutable_dropped()->set_forged(facts.dropped().forged() + former.forged());
  facts_.mutable_dropped()->set_stale(facts.dropped().stale() + former.stale());
  facts_.set_workers(std::max(facts.workers(), former_facts_.workers()));
  facts_.set_max_running(std::max(facts.max_running(), former_facts_.max_running()));
  if (former_facts_.startup_us() > 0) facts_.set_startup_us(former_facts_.startup_us());
  if (facts.since_first_dispatch_us() > 0) {
    const Instant at = now - Duration(static_cast<Duration::rep>(facts.since_first_dispatch_us()));
    first_dispatch_ = first_dispatch_ ? std::min(*first_dispatch_, at) : at;
  }
  // A ventilator that dies while it stops a run is told so when it comes back.
  if (facts.end() != proto::RUN_END_NONE)
    set_end(facts.end(), facts.stop_level(), facts.end_reason(), now, out);
}

// Jobs of a stopped run that nobody started, too many for a row each.
void Collector::take_without_rows(Ledger& ledger) {
  const int status = facts_.without_rows_status();
  if (status != proto::STATUS_CANCELLED && status != proto::STATUS_EXPIRED) return;
  for (const proto::JobRange& range : facts_.without_rows()) {
    const std::optional<JobSpan> span = span_below(counts_.submitted, range);
    if (!span) continue;
    for (const JobSpan& open : done_.missing_from(*span)) {
      take_as_done(open);
      without_rows_.insert(open);
      *count_of(counts_, static_cast<Status>(status)) += open.size();
      ledger.record_without_rows(open, static_cast<Status>(status));
    }
  }
}

// The ventilator is gone and the run is over: what is open is known by number only.
void Collector::expire_open_jobs(Ledger& ledger) {
  const Status status = own_end_ == proto::RUN_END_DEADLINE ? Status::kExpired : Status::kCancelled;
  facts_.set_input_complete(closed_ && facts_.input_complete());
  // A worker may have brought what the ventilator had no time to tell of.
  if (!done_.empty()) counts_.submitted = std::max(counts_.submitted, done_.spans().back().end);
  for (const JobSpan& open : done_.missing_from({0, counts_.submitted})) {
    take_as_done(open);
    without_rows_.insert(open);
    *count_of(counts_, status) += open.size();
    ledger.record_without_rows(open, status);
  }
}

proto::RunEnd Collector::end() const {
  return own_end_ != proto::RUN_END_NONE ? own_end_ : facts_.end();
}

int Collector::run_exit_code() const {
  switch (end()) {
    case proto::RUN_END_INTERRUPTED:
      return 130;
    case proto::RUN_END_DEADLINE:
    case proto::RUN_END_HALTED:
    case proto::RUN_END_CANCELLED:
      return 4;
    case proto::RUN_END_NO_PEER:
      return 5;
    case proto::RUN_END_FAULT:
      return 3;
    case proto::RUN_END_GOAL:
      return missed_goal() ? 1 : 0;
    default:
      // Who loses a race may as well have failed.
      return (counts_.failed > 0 && !groups_.any()) || missed_goal() ? 1 : 0;
  }
}

RunSummary Collector::summary(Instant now) const {
  RunSummary summary;
  summary.run_id = ulid_text(run_id_);
  if (kind_) summary.kind = kind_->name();
  switch (end()) {
    case proto::RUN_END_NONE:
    case proto::RUN_END_GOAL:
      summary.state = ended_ && missed_goal() ? RunState::kFailed : RunState::kCompleted;
      break;
    case proto::RUN_END_HALTED:
      summary.state = RunState::kHalted;
      break;
    case proto::RUN_END_DEADLINE:
      summary.state = RunState::kTimedOut;
      break;
    case proto::RUN_END_INTERRUPTED:
    case proto::RUN_END_CANCELLED:
      summary.state = RunState::kCancelled;
      break;
    default:
      summary.state = RunState::kFailed;
  }
  summary.end_reason = own_end_ != proto::RUN_END_NONE ? own_end_reason_ : facts_.end_reason();
  if (summary.state == RunState::kFailed && missed_goal()) {
    summary.end_reason = groups_.any()
                             ? std::to_string(groups_.groups() - groups_.reached()) + " groups have no winner"
                             : "not enough jobs were ok (--halt " + format_halt(run_policy_.halt()) + ")";
  }
  summary.jobs = counts_;
  const std::uint64_t known = counts_.done();
  summary.jobs.lost = ended_ && counts_.submitted > known ? counts_.submitted - known : 0;
  summary.input_complete = facts_.input_complete();
  summary.skipped = facts_.skipped();
  summary.retries = facts_.retries();
  summary.duplicates = duplicates_;
  const proto::Dropped& there = facts_.dropped();
  summary.dropped = {dropped_.late + there.late(), dropped_.forged + there.forged(),
                     dropped_.stale + there.stale()};
  summary.workers = facts_.workers();
  summary.workers_now = facts_.workers_now();
  summary.running = facts_.running();
  summary.max_running = facts_.max_running();
  summary.startup_us = facts_.startup_us();
  if (first_dispatch_) {
    const Instant until = ended_ ? std::max(last_commit_, *first_dispatch_) : now;
    summary.wall_us =
        static_cast<std::uint64_t>(std::max<Duration>(until - *first_dispatch_, Duration{0}).count());
  }
  summary.work_us = work_us_;
  summary.efficiency = measure_efficiency(
      facts_.slot_time(),
      {work_us_ - stopped_work_us_, stopped_work_us_, facts_.retried_us(), facts_.hedged().lost_us()},
      summary.wall_us);
  if (run_policy_.has_hedge()) {
    const proto::Hedged& hedged = facts_.hedged();
    summary.hedged = {hedged.copies(), hedged.won(), hedged.extra_us(), hedged.lost_us()};
  }
  summary.started_jobs = started_jobs_;
  summary.winner = winner();
  summary.races = races();
  for (const proto::FailedJob& error : errors_)
    summary.errors.push_back({error.job(), error.input(), error.code(), error.message()});
  for (const JobSpan& span : without_rows_.spans())
    summary.without_rows.push_back({span.first, span.size()});
  summary.total_known = closed_;
  return summary;
}

}  // namespace fantail
