// How the collector takes outcomes in, and what a run's figures are.
#include <algorithm>
#include <array>

#include "pipeline/ulid.h"
#include "sink/collector.h"

namespace fantail {

namespace {

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

// The columns of a peer's message fit together.
bool well_formed(const proto::Results& results) {
  const int count = results.inputs_size();
  const auto fits = [count](int size) { return size == 0 || size == count; };
  if (!fits(results.jobs_size()) || !fits(results.payloads_size()) || !fits(results.statuses_size()) ||
      !fits(results.attempts_size()) || !fits(results.queued_us_size()) ||
      !fits(results.duration_us_size())) {
    return false;
  }
  for (const int status : results.statuses()) {
    if (status < proto::STATUS_OK || status > proto::STATUS_EXPIRED) return false;
  }
  // No run has so many jobs; a forged id must not overflow a range.
  constexpr std::uint64_t kJobIdsMax = std::uint64_t{1} << 48;
  const auto sane = [](std::uint64_t id) { return id < kJobIdsMax; };
  return sane(results.first_job()) && std::all_of(results.jobs().begin(), results.jobs().end(), sane);
}

}  // namespace

void Collector::on_results(const proto::Results& results, Instant, Ledger& ledger) {
  if (!run_open() || results.run_id() != run_id_ || !well_formed(results)) return;
  if (!results.worker_id().empty()) uncommitted_acks_[results.worker_id()].push_back(results.sequence());
  if (ended_) return;
  std::string worker_name;
  if (!results.worker_id().empty()) {
    const auto name = worker_names_.find(results.worker_id());
    worker_name = name == worker_names_.end() ? ulid_text(results.worker_id()) : name->second;
  }
  auto failure = results.failures().begin();
  for (int index = 0; index < results.inputs_size(); ++index) {
    Outcome outcome;
    outcome.job =
        results.jobs_size() > 0 ? results.jobs(index) : results.first_job() + static_cast<JobId>(index);
    outcome.input = results.inputs(index);
    outcome.worker = worker_name;
    outcome.attempt = results.attempts_size() > 0 ? results.attempts(index) : 1;
    if (results.statuses_size() > 0) outcome.status = static_cast<Status>(results.statuses(index));
    if (results.queued_us_size() > 0) outcome.queued_us = results.queued_us(index);
    if (results.duration_us_size() > 0) outcome.duration_us = results.duration_us(index);
    if (results.payloads_size() > 0) outcome.payload = results.payloads(index);
    if (failure != results.failures().end() && failure->index() == static_cast<std::uint32_t>(index)) {
      outcome.error_code = failure->code();
      outcome.error_message = failure->message();
      ++failure;
    }
    record(outcome, ledger);
  }
}

void Collector::record(const Outcome& outcome, Ledger& ledger) {
  if (!done_.insert(outcome.job)) {
    ++duplicates_;  // the first final outcome wins
    return;
  }
  digest_.add(kind_->add(outcome));
  ++*count_of(counts_, outcome.status);
  if (outcome.attempt > 0) {
    ++started_jobs_;
    work_us_ += outcome.duration_us;
  }
  if (!uncommitted_log_.empty() && uncommitted_log_.back().end == outcome.job) {
    ++uncommitted_log_.back().end;
  } else {
    uncommitted_log_.push_back({outcome.job, outcome.job + 1});
  }
  ledger.record(*kind_, outcome);
}

// What only the ventilator knows, in this life and in those before.
void Collector::take_facts(const proto::RunFacts& facts, Instant now, CollectorOutbox& out) {
  facts_ = facts;
  facts_.set_retries(facts.retries() + former_facts_.retries());
  facts_.set_workers(std::max(facts.workers(), former_facts_.workers()));
  facts_.set_max_running(std::max(facts.max_running(), former_facts_.max_running()));
  if (former_facts_.startup_us() > 0) facts_.set_startup_us(former_facts_.startup_us());
  if (facts.since_first_dispatch_us() > 0) {
    const Instant at = now - Duration(static_cast<Duration::rep>(facts.since_first_dispatch_us()));
    first_dispatch_ = first_dispatch_ ? std::min(*first_dispatch_, at) : at;
  }
  // A ventilator that dies while it stops a run is told so when it comes back.
  if (facts.end() != proto::RUN_END_NONE) set_end(facts.end(), facts.end_reason(), now, out);
}

// Jobs of a stopped run that nobody started, too many for a row each.
void Collector::take_without_rows(Ledger& ledger) {
  const int status = facts_.without_rows_status();
  if (status != proto::STATUS_CANCELLED && status != proto::STATUS_EXPIRED) return;
  for (const proto::JobRange& range : facts_.without_rows()) {
    if (range.first() >= counts_.submitted || range.count() > counts_.submitted - range.first()) continue;
    for (const JobSpan& open : done_.missing_from({range.first(), range.first() + range.count()})) {
      done_.insert(open);
      without_rows_.insert(open);
      *count_of(counts_, static_cast<Status>(status)) += open.size();
      uncommitted_log_.push_back(open);
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
    done_.insert(open);
    without_rows_.insert(open);
    *count_of(counts_, status) += open.size();
    uncommitted_log_.push_back(open);
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
      return 4;
    case proto::RUN_END_NO_PEER:
      return 5;
    case proto::RUN_END_FAULT:
      return 3;
    default:
      return counts_.failed > 0 ? 1 : 0;
  }
}

RunSummary Collector::summary(Instant now) const {
  RunSummary summary;
  summary.run_id = ulid_text(run_id_);
  if (kind_) summary.kind = kind_->name();
  switch (end()) {
    case proto::RUN_END_NONE:
      summary.state = RunState::kCompleted;
      break;
    case proto::RUN_END_DEADLINE:
      summary.state = RunState::kTimedOut;
      break;
    case proto::RUN_END_INTERRUPTED:
      summary.state = RunState::kCancelled;
      break;
    default:
      summary.state = RunState::kFailed;
  }
  summary.end_reason = own_end_ != proto::RUN_END_NONE ? own_end_reason_ : facts_.end_reason();
  summary.jobs = counts_;
  const std::uint64_t known = counts_.done();
  summary.jobs.lost = ended_ && counts_.submitted > known ? counts_.submitted - known : 0;
  summary.input_complete = facts_.input_complete();
  summary.skipped = facts_.skipped();
  summary.retries = facts_.retries();
  summary.duplicates_dropped = duplicates_;
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
  summary.started_jobs = started_jobs_;
  for (const JobSpan& span : without_rows_.spans())
    summary.without_rows.push_back({span.first, span.size()});
  summary.total_known = closed_;
  return summary;
}

}  // namespace fantail
