#include "sink/collector.h"

#include <algorithm>
#include <utility>

#include "pipeline/job_ranges.h"
#include "pipeline/protocol_version.h"

namespace fantail {

namespace {

constexpr Duration kAnswerAtLatest = std::chrono::milliseconds(250);
constexpr Duration kLingerAfterDone = std::chrono::seconds(10);
// A ventilator that is silent for so long after the deadline will not close the run any more.
constexpr Duration kVentilatorSilent = std::chrono::milliseconds(1500);
constexpr std::uint64_t kQuantilesAfter = 10;
constexpr Duration kCollectorTickMax = std::chrono::milliseconds(100);

}  // namespace

Collector::Collector(const Collector& other)
    : policy_(other.policy_),
      started_(other.started_),
      worker_names_(other.worker_names_),
      run_id_(other.run_id_),
      kind_(other.kind_ ? other.kind_->clone() : nullptr),
      digest_(other.digest_),
      counts_(other.counts_),
      done_(other.done_),
      without_rows_(other.without_rows_),
      duplicates_(other.duplicates_),
      dropped_(other.dropped_),
      work_us_(other.work_us_),
      started_jobs_(other.started_jobs_),
      stopped_work_us_(other.stopped_work_us_),
      stopped_jobs_(other.stopped_jobs_),
      run_policy_(other.run_policy_),
      ok_durations_(other.ok_durations_),
      by_copies_(other.by_copies_),
      winner_(other.winner_),
      groups_(other.groups_),
      errors_(other.errors_),
      committing_counts_(other.committing_counts_),
      durable_counts_(other.durable_counts_),
      log_(other.log_),
      log_base_(other.log_base_),
      uncommitted_log_(other.uncommitted_log_),
      uncommitted_acks_(other.uncommitted_acks_),
      committing_log_(other.committing_log_),
      committing_acks_(other.committing_acks_),
      books_changed_(other.books_changed_),
      facts_(other.facts_),
      former_facts_(other.former_facts_),
      closed_(other.closed_),
      question_(other.question_),
      asked_at_(other.asked_at_),
      ventilator_heard_(other.ventilator_heard_),
      ventilator_epoch_(other.ventilator_epoch_),
      claimed_(other.claimed_),
      first_dispatch_(other.first_dispatch_),
      last_commit_(other.last_commit_),
      deadline_at_(other.deadline_at_),
      own_end_(other.own_end_),
      own_end_level_(other.own_end_level_),
      own_end_reason_(other.own_end_reason_),
      own_end_at_(other.own_end_at_),
      ended_(other.ended_),
      acknowledged_(other.acknowledged_),
      done_sent_at_(other.done_sent_at_),
      exit_code_(other.exit_code_) {}

void Collector::on_worker(const proto::WorkerToSink& message, CollectorOutbox& out) {
  if (!message.has_hello()) return;
  worker_names_[message.worker_id()] = message.hello().name();
  proto::SinkToWorker answer;
  answer.set_epoch(policy_.epoch);
  answer.mutable_welcome()->set_data_port(policy_.data_port);
  out.send_to_worker(message.worker_id(), answer);
}

void Collector::on_ventilator(const proto::VentilatorToSink& message, Instant now, Ledger& ledger,
                              CollectorOutbox& out) {
  if (message.has_open()) {
    open_run(message, now, out);
    return;
  }
  if (!run_open()) return;  // it opens the run when nobody answers
  if (message.run_id() != run_id_ || message.epoch() != ventilator_epoch_) {
    ++dropped_.stale;
    return;
  }
  ventilator_heard_ = now;
  claimed_ = true;
  if (message.has_acknowledged()) {
    if (ended_ && done_sent_at_) {
      acknowledged_ = true;
      books_changed_ = true;
      exit_code_ = run_exit_code();
    }
  } else if (message.has_sync()) {
    on_sync(message.sync(), now, ledger, out);
  } else if (message.has_proposal()) {
    on_results(message.proposal(), now, ledger);
  }
}

proto::SinkToVentilator Collector::to_ventilator() const {
  proto::SinkToVentilator message;
  message.set_run_id(run_id_);
  message.set_epoch(policy_.epoch);
  message.set_ventilator_epoch(ventilator_epoch_);
  return message;
}

void Collector::open_run(const proto::VentilatorToSink& message, Instant now, CollectorOutbox& out) {
  const proto::RunOpen& open = message.open();
  proto::SinkToVentilator answer;
  answer.set_run_id(message.run_id());
  answer.set_epoch(policy_.epoch);
  answer.set_ventilator_epoch(message.epoch());
  if (open.protocol_version() != kProtocolVersion) {
    answer.mutable_refused()->set_reason(
        "the sink speaks another protocol version: install the same release on both");
  } else if (run_open() && message.run_id() != run_id_) {
    answer.mutable_refused()->set_reason("the sink is busy with another run");
  } else if (!run_open()) {
    std::unique_ptr<Kind> kind = make_kind(open.spec().kind());
    if (kind == nullptr) {
      answer.mutable_refused()->set_reason(
          "the sink does not know this kind: install the same release on both");
    } else {
      run_id_ = message.run_id();
      kind_ = std::move(kind);
      set_policy(open.spec().policy());
      if (open.deadline_us() > 0)
        deadline_at_ = now + Duration(static_cast<Duration::rep>(open.deadline_us()));
      out.begin_run(open.spec());
    }
  } else if (message.epoch() < ventilator_epoch_) {
    ++dropped_.stale;
    return;
  }
  if (!answer.has_refused()) {
    if (message.epoch() != ventilator_epoch_) {
      question_.reset();  // its questions are counted anew
      former_facts_ = facts_;
      books_changed_ = true;
    }
    ventilator_epoch_ = message.epoch();
    ventilator_heard_ = now;
    claimed_ = true;
    proto::RunOpened& opened = *answer.mutable_opened();
    opened.set_tcp_port(policy_.tcp_port);
    if (deadline_at_)
      opened.set_deadline_left_us(
          static_cast<std::uint64_t>(std::max(*deadline_at_ - now, Duration{1}).count()));
  }
  out.send_to_ventilator(answer);
}

void Collector::on_sync(const proto::RunSync& sync, Instant now, Ledger& ledger, CollectorOutbox& out) {
  if (done_sent_at_) {
    send_done(out);
    return;
  }
  if (ended_) return;  // the books are closed: it hears of that once the report is written
  if (question_ && sync.question() <= question_->question()) {
    ++dropped_.late;
    return;
  }
  question_ = sync;
  asked_at_ = now;
  counts_.submitted = std::max(counts_.submitted, sync.spooled());
  closed_ = closed_ || sync.closed();
  take_facts(sync.facts(), now, out);
  take_without_rows(ledger);
  end_if_complete(out);
  const bool behind = sync.sink_epoch() != policy_.epoch || sync.offset() < log_base_ + log_.size() ||
                      sync.won_offset() < groups_.won().size();
  const bool unaware = own_end_ != proto::RUN_END_NONE && sync.facts().end() == proto::RUN_END_NONE;
  if (behind || unaware) answer(out);
}

void Collector::answer(CollectorOutbox& out) {
  if (!question_) return;
  proto::SinkToVentilator message = to_ventilator();
  proto::RunLog& log = *message.mutable_log();
  log.set_question(question_->question());
  log.set_end(own_end_);
  log.set_stop_level(own_end_level_);
  log.set_end_reason(own_end_reason_);
  if (ok_durations_.count() >= kQuantilesAfter) log.set_median_us(ok_durations_.at_percent(50));
  put_won_groups(log);
  const std::uint64_t head = log_base_ + log_.size();
  log.set_offset(head);
  if (question_->sink_epoch() != policy_.epoch || question_->offset() < log_base_ ||
      question_->offset() > head) {
    log.set_whole(true);
    RangeSet durable = done_;
    for (const auto* log_part : {&uncommitted_log_, &committing_log_}) {
      for (const JobSpan& span : *log_part)
        durable.erase(span);
    }
    put_ranges(durable.spans(), log.mutable_done());
  } else {
    // What comes before the offset has been taken in: it is not needed again.
    while (log_base_ < question_->offset()) {
      log_.pop_front();
      ++log_base_;
    }
    put_ranges(log_, log.mutable_done());
  }
  if (run_policy_.has_hedge()) put_hedged(log);
  question_.reset();
  out.send_to_ventilator(message);
}

// What the ventilator must know to send out second copies, and what became of them.
void Collector::put_hedged(proto::RunLog& log) const {
  if (ok_durations_.count() >= kQuantilesAfter) log.set_p95_us(ok_durations_.at_percent(95));
  log.set_work_us(work_us_);
  *log.mutable_former_hedged() = former_facts_.hedged();
  for (const proto::JobRange& done : log.done())
    put_ranges(by_copies_.within({done.first(), done.first() + done.count()}), log.mutable_by_copies());
}

void Collector::begin_commit() {
  committing_log_ = std::exchange(uncommitted_log_, {});
  committing_acks_ = std::exchange(uncommitted_acks_, {});
  committing_counts_ = counts_;
  groups_.begin_commit();
  books_changed_ = false;
}

void Collector::on_not_committed() {
  groups_.on_not_committed();
  committing_log_.insert(committing_log_.end(), uncommitted_log_.begin(), uncommitted_log_.end());
  uncommitted_log_ = std::exchange(committing_log_, {});
  for (auto& [worker_id, sequences] : std::exchange(committing_acks_, {})) {
    std::vector<std::uint64_t>& later = uncommitted_acks_[worker_id];
    later.insert(later.begin(), sequences.begin(), sequences.end());
  }
  books_changed_ = true;
}

void Collector::on_committed(Instant now, CollectorOutbox& out) {
  if (!committing_log_.empty()) last_commit_ = now;
  durable_counts_ = committing_counts_;
  groups_.on_committed();
  log_.insert(log_.end(), committing_log_.begin(), committing_log_.end());
  committing_log_.clear();
  for (const auto& [worker_id, sequences] : std::exchange(committing_acks_, {})) {
    if (worker_id.empty()) continue;  // the ventilator learns it from the log
    proto::SinkToWorker message;
    message.set_epoch(policy_.epoch);
    message.mutable_durable()->set_run_id(run_id_);
    for (const std::uint64_t sequence : sequences)
      message.mutable_durable()->add_sequences(sequence);
    out.send_to_worker(worker_id, message);
  }
  check_goal(now, out);
  if (question_ && !log_.empty() && question_->offset() < log_base_ + log_.size()) answer(out);
}

void Collector::end_if_complete(CollectorOutbox& out) {
  if (ended_ || !closed_ || !question_ || !uncommitted_log_.empty() || !committing_log_.empty()) return;
  if (!done_.missing_from({0, counts_.submitted}).empty()) return;
  // The question was asked in knowledge of the last outcome, so its facts are the final ones.
  if (question_->offset() < log_base_ + log_.size()) return;
  ended_ = true;
  books_changed_ = true;
  out.end_run();
}

void Collector::on_report_written(Instant now, CollectorOutbox& out) {
  done_sent_at_ = now;
  send_done(out);
}

void Collector::send_done(CollectorOutbox& out) const {
  proto::SinkToVentilator message = to_ventilator();
  message.mutable_done()->set_exit_code(static_cast<std::uint32_t>(run_exit_code()));
  out.send_to_ventilator(message);
}

void Collector::on_fault(const std::string& reason, Instant now, CollectorOutbox& out) {
  set_end(proto::RUN_END_FAULT, proto::STOP_RUNNING, reason, now, out);
}

void Collector::on_output_failed(const std::string& reason) {
  own_end_ = proto::RUN_END_FAULT;
  own_end_reason_ = reason;
}

void Collector::on_interrupt(Instant now, CollectorOutbox& out) {
  if (run_open()) {
    set_end(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED, "interrupted", now, out);
  } else {
    exit_code_ = 130;
  }
}

void Collector::set_end(proto::RunEnd end, proto::StopLevel level, const std::string& reason, Instant now,
                        CollectorOutbox& out) {
  if (own_end_ != proto::RUN_END_NONE || ended_) return;
  own_end_ = end;
  own_end_level_ = level;
  own_end_reason_ = reason;
  own_end_at_ = now;
  books_changed_ = true;
  answer(out);
}

Instant Collector::on_tick(Instant now, Ledger& ledger, CollectorOutbox& out) {
  if (done_sent_at_) {
    if (now >= *done_sent_at_ + kLingerAfterDone) exit_code_ = run_exit_code();
    return *done_sent_at_ + kLingerAfterDone;
  }
  if (!run_open()) {
    if (policy_.wait != Duration::max() && now >= started_ + policy_.wait) exit_code_ = 5;
    return now + kCollectorTickMax;
  }
  if (deadline_at_ && now >= *deadline_at_) {
    set_end(proto::RUN_END_DEADLINE, proto::STOP_RUNNING, "the run's deadline passed", now, out);
  }
  check_goal(now, out);
  const bool orphaned = own_end_ != proto::RUN_END_NONE && now >= own_end_at_ + kVentilatorSilent &&
                        now >= ventilator_heard_ + kVentilatorSilent;
  if (orphaned && !ended_) {
    expire_open_jobs(ledger);
    ended_ = true;
    books_changed_ = true;
    out.end_run();
    return now;
  }
  if (question_ && now >= asked_at_ + kAnswerAtLatest) answer(out);
  Instant wake = now + kCollectorTickMax;
  if (deadline_at_ && own_end_ == proto::RUN_END_NONE) wake = std::min(wake, std::max(*deadline_at_, now));
  return wake;
}

}  // namespace fantail
