// What the collector gives its ledger to keep, and how it goes on from there.
#include <utility>

#include "pipeline/job_ranges.h"
#include "sink/collector.h"

namespace fantail {

namespace {

// A run whose ventilator is silent for so long makes room for another one.
constexpr Duration kAbandonedAfter = std::chrono::seconds(5);

std::int64_t to_number(Instant instant) {
  return instant.time_since_epoch().count();
}

Instant to_instant(std::int64_t number, Duration shift) {
  return Instant(Duration(number)) + shift;
}

}  // namespace

proto::Books Collector::books(Instant now) const {
  proto::Books books;
  books.set_submitted(counts_.submitted);
  books.set_ok(counts_.ok);
  books.set_failed(counts_.failed);
  books.set_cancelled(counts_.cancelled);
  books.set_expired(counts_.expired);
  books.set_duplicates(duplicates_);
  books.mutable_dropped()->set_late(dropped_.late);
  books.mutable_dropped()->set_forged(dropped_.forged);
  books.mutable_dropped()->set_stale(dropped_.stale);
  books.set_work_us(work_us_);
  books.set_started_jobs(started_jobs_);
  books.set_stopped_jobs(stopped_jobs_);
  books.set_stopped_work_us(stopped_work_us_);
  *books.mutable_policy() = run_policy_;
  if (winner_) *books.mutable_winner() = *winner_;
  for (const proto::FailedJob& error : errors_)
    *books.add_errors() = error;
  if (groups_.any()) groups_.save(books);
  books.set_digest_low(digest_.low);
  books.set_digest_high(digest_.high);
  put_ranges(without_rows_.spans(), books.mutable_without_rows());
  *books.mutable_facts() = facts_;
  *books.mutable_former_facts() = former_facts_;
  books.set_closed(closed_);
  books.set_ventilator_epoch(ventilator_epoch_);
  books.set_written_at(to_number(now));
  if (first_dispatch_) books.set_first_dispatch_at(to_number(*first_dispatch_));
  // These books are being committed, and with them what is not yet.
  if (!committing_log_.empty()) {
    books.set_last_commit_at(to_number(now));
  } else if (last_commit_ != Instant{}) {
    books.set_last_commit_at(to_number(last_commit_));
  }
  if (deadline_at_) books.set_deadline_at(to_number(*deadline_at_));
  books.set_own_end(own_end_);
  books.set_own_end_level(own_end_level_);
  books.set_own_end_reason(own_end_reason_);
  books.set_ended(ended_);
  books.set_acknowledged(acknowledged_);
  return books;
}

bool Collector::restore(const KeptRun& kept, Duration shift, Instant now) {
  const proto::Books& books = kept.books;
  std::unique_ptr<Kind> kind = make_kind(kept.spec.kind());
  if (kind == nullptr || !kind->load(kept.aggregate)) return false;
  run_id_ = kept.spec.run_id();
  kind_ = std::move(kind);
  digest_ = {books.digest_low(), books.digest_high()};
  counts_ = {};
  counts_.submitted = books.submitted();
  counts_.ok = books.ok();
  counts_.failed = books.failed();
  counts_.cancelled = books.cancelled();
  counts_.expired = books.expired();
  done_ = kept.done;
  for (const proto::JobRange& range : books.without_rows())
    without_rows_.insert({range.first(), range.first() + range.count()});
  duplicates_ = books.duplicates();
  dropped_ = {books.dropped().late(), books.dropped().forged(), books.dropped().stale()};
  work_us_ = books.work_us();
  started_jobs_ = books.started_jobs();
  stopped_jobs_ = books.stopped_jobs();
  stopped_work_us_ = books.stopped_work_us();
  durable_counts_ = counts_;
  set_policy(books.policy());
  if (groups_.any()) groups_.load(books);
  errors_.assign(books.errors().begin(), books.errors().end());
  if (books.has_winner()) {
    winner_ = books.winner();
    winner_->set_at(to_number(to_instant(books.winner().at(), shift)));
  }
  facts_ = books.facts();
  former_facts_ = books.former_facts();
  closed_ = books.closed();
  ventilator_epoch_ = books.ventilator_epoch();
  if (books.has_first_dispatch_at()) first_dispatch_ = to_instant(books.first_dispatch_at(), shift);
  if (books.has_last_commit_at()) last_commit_ = to_instant(books.last_commit_at(), shift);
  if (books.has_deadline_at()) deadline_at_ = to_instant(books.deadline_at(), shift);
  own_end_ = books.own_end();
  own_end_level_ = books.own_end_level();
  own_end_reason_ = books.own_end_reason();
  ended_ = books.ended();
  acknowledged_ = books.acknowledged();
  // The ventilator gets the time that it would get from a sink that had never been away.
  ventilator_heard_ = now;
  own_end_at_ = now;
  return true;
}

bool Collector::abandoned(Instant now) const {
  if (!run_open() || !claimed_) return true;
  return !done_sent_at_ && now >= ventilator_heard_ + kAbandonedAfter;
}

}  // namespace fantail
