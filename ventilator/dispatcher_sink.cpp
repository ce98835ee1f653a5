// The dispatcher's side towards the sink: opening the run, following its completion log, the end.
#include <algorithm>

#include "pipeline/job_ranges.h"
#include "pipeline/protocol_version.h"
#include "ventilator/dispatcher.h"

namespace fantail {

namespace {

constexpr Duration kAskApart = std::chrono::milliseconds(2);
constexpr Duration kAskAgainAfter = std::chrono::seconds(1);
// Workers say hello again within a heartbeat of the ventilator's return.
constexpr int kAdoptionHalfHeartbeats = 3;

}  // namespace

void Dispatcher::open_run(Instant now, DispatchOutbox& out) {
  proto::VentilatorToSink message;
  message.set_run_id(spec_.run_id());
  message.set_epoch(epoch_);
  proto::RunOpen& open = *message.mutable_open();
  open.set_protocol_version(kProtocolVersion);
  *open.mutable_spec() = spec_;
  const Duration left = deadline_at_ ? std::max(*deadline_at_ - now, Duration{1}) : policy_.deadline;
  open.set_deadline_us(static_cast<std::uint64_t>(left.count()));
  asked_at_ = now;
  out.send_to_sink(message);
}

// Asks when the last question was answered, or its answer seems lost, or there is news that the sink must not
// wait for.
void Dispatcher::ask_sink(Instant now, DispatchOutbox& out) {
  if (sink_exit_code_) return;
  const bool overdue = asked_at_ == Instant{} || now >= asked_at_ + kAskAgainAfter;
  // A sink that does not answer may be a new one, which has to be told of the run first.
  if (overdue) open_run(now, out);
  if (!sink_opened_) return;
  if (!overdue && now < next_question()) return;
  proto::VentilatorToSink message;
  message.set_run_id(spec_.run_id());
  message.set_epoch(epoch_);
  proto::RunSync& sync = *message.mutable_sync();
  sync.set_question(++question_);
  sync.set_sink_epoch(sink_epoch_);
  sync.set_offset(log_offset_);
  sync.set_won_offset(won_offset_);
  sync.set_spooled(spooled_);
  sync.set_closed(closed_);
  fill_facts(*sync.mutable_facts(), now);
  asked_at_ = now;
  facts_changed_ = false;
  out.send_to_sink(message);
}

// Not before an answer or news, and not too soon after the last one.
Instant Dispatcher::next_question() const {
  const bool waits = sink_opened_ && !sink_exit_code_ && (answered_ == question_ || facts_changed_);
  return waits ? asked_at_ + kAskApart : kNever;
}

void Dispatcher::fill_facts(proto::RunFacts& facts, Instant now) const {
  if (first_dispatch_) {
    // One microsecond at least: zero says that nothing was dispatched.
    facts.set_since_first_dispatch_us(
        static_cast<std::uint64_t>(std::max<Duration>(now - *first_dispatch_, Duration{1}).count()));
    facts.set_startup_us(static_cast<std::uint64_t>((*first_dispatch_ - started_).count()));
  }
  facts.set_workers(workers_ever_);
  facts.set_workers_now(static_cast<std::uint32_t>(workers_.size()));
  facts.set_running(static_cast<std::uint32_t>(std::min<std::uint64_t>(slots_.running, UINT32_MAX)));
  facts.set_max_running(static_cast<std::uint32_t>(std::min<std::uint64_t>(max_running_, UINT32_MAX)));
  facts.set_retries(retries_);
  facts.set_retried_us(retried_us_);
  if (hedging_.on()) hedging_.put(now, *facts.mutable_hedged());
  slot_time_.put(now, *facts.mutable_slot_time());
  facts.set_input_complete(input_complete_);
  facts.set_skipped(skipped_);
  facts.set_end(end_);
  facts.set_end_reason(end_reason_);
  facts.set_stop_level(stop_level_);
  put_ranges(without_rows_.spans(), facts.mutable_without_rows());
  facts.set_without_rows_status(static_cast<proto::Status>(stop_status()));
  facts.mutable_dropped()->set_late(dropped_.late);
  facts.mutable_dropped()->set_forged(dropped_.forged);
  facts.mutable_dropped()->set_stale(dropped_.stale);
}

void Dispatcher::on_sink(const proto::SinkToVentilator& message, Instant now, DispatchOutbox& out) {
  if (message.run_id() != spec_.run_id() || message.ventilator_epoch() != epoch_ ||
      message.epoch() < newest_sink_) {
    ++dropped_.stale;
    return;
  }
  newest_sink_ = message.epoch();
  sink_heard_ = now;
  if (message.has_opened()) {
    if (!sink_opened_) {
      sink_opened_ = true;
      out.on_event("the sink takes the run");
    }
    const auto left = std::min<std::uint64_t>(message.opened().deadline_left_us(), INT64_MAX / 4);
    if (left > 0) deadline_at_ = now + Duration(static_cast<Duration::rep>(left));
    ask_sink(now, out);
    dispatch(now, out);
  } else if (message.has_log()) {
    on_log(message.log(), message.epoch(), now, out);
  } else if (message.has_done()) {
    if (!sink_exit_code_) {
      sink_exit_code_ = static_cast<int>(message.done().exit_code());
      acknowledged_at_ = now;
      out.record_end();
    }
    proto::VentilatorToSink answer;
    answer.set_run_id(spec_.run_id());
    answer.set_epoch(epoch_);
    answer.mutable_acknowledged();
    out.send_to_sink(answer);
  } else if (message.has_refused()) {
    out.on_trouble("the sink refuses the run: " + message.refused().reason());
    if (!sink_opened_) asked_at_ = now;  // asks again later
  }
}

void Dispatcher::on_sink_gone(Instant) {
  if (sink_exit_code_) exit_code_ = sink_exit_code_;
}

void Dispatcher::on_log(const proto::RunLog& log, std::uint64_t sink_epoch, Instant now,
                        DispatchOutbox& out) {
  if (log.question() <= answered_ || log.question() > question_) {
    ++(log.question() <= answered_ ? dropped_.late : dropped_.forged);  // what was never asked
    return;
  }
  RangeSet done;
  for (const proto::JobRange& range : log.done()) {
    // Also beyond what is spooled: where the spool knows less than the sink, its jobs come again.
    if (const auto span = span_below(kJobIdsMax, range)) {
      done.insert(*span);
    } else {
      ++dropped_.forged;
    }
  }
  const RangeSet by_copies = set_below(kJobIdsMax, log.by_copies());
  if (log.whole()) {
    on_whole_log(done, by_copies, now, out);
  } else if (sink_epoch == sink_epoch_) {
    for (const JobSpan& span : done.spans())
      mark_done(span, by_copies, now);
  } else {
    ++dropped_.stale;
    return;
  }
  sink_epoch_ = sink_epoch;
  log_offset_ = log.offset();
  median_ = duration_of(log.median_us());
  hedging_.learn(log);
  answered_ = log.question();
  settle_limbo(answered_, now, out);
  on_won(log, now, out);
  if (log.end() != proto::RUN_END_NONE) stop(log.end(), log.stop_level(), log.end_reason(), now, out);
  if (stop_level_ != proto::STOP_NONE) propose_stopped(now, out);
  tell_discarded(out);
  dispatch(now, out);
  ask_sink(now, out);
}

// A sink that began anew: what it does not know as done was lost with its former life and runs again.
void Dispatcher::on_whole_log(const RangeSet& done, const RangeSet& by_copies, Instant now,
                              DispatchOutbox& out) {
  sink_known_ = true;
  const RangeSet before = std::move(done_);
  done_.clear();
  for (const JobSpan& span : done.spans())
    mark_done(span, by_copies, now);
  std::uint64_t forgotten = 0;
  for (const JobSpan& span : before.spans()) {
    for (const JobSpan& missing : done_.missing_from(span)) {
      forgotten += missing.size();
      limbo_.push_back({missing, question_ + 1, 1, false, false});
    }
  }
  if (forgotten > 0) {
    out.on_trouble("the sink has lost " + std::to_string(forgotten) +
                   " outcomes that it had recorded: these jobs run again");
  }
}

void Dispatcher::mark_done(JobSpan jobs, const RangeSet& by_copies, Instant now) {
  if (done_.insert(jobs) == 0) return;
  end_copies(jobs, by_copies, now);
  leases_.take(jobs);
  for (RangeSet* open : {&undecided_, &long_, &suspects_, &proposed_, &quarantined_, &unwanted_, &cancelled_})
    open->erase(jobs);
  pending_.erase(jobs);
  pending_.forget_priorities(jobs);
  retry_queue_.take(jobs);
  given_up_.erase(given_up_.lower_bound(jobs.first), given_up_.lower_bound(jobs.end));
  if (!deaths_.empty()) deaths_.erase(deaths_.lower_bound(jobs.first), deaths_.lower_bound(jobs.end));
  if (!attempts_.empty()) attempts_.erase(attempts_.lower_bound(jobs.first), attempts_.lower_bound(jobs.end));
  if (policy_.hosts.limits()) {
    for (JobId job = jobs.first; job < std::min(jobs.end, spooled_); ++job)
      hosts_.on_finished(job, now);
  }
}

void Dispatcher::settle_limbo(std::uint64_t answered, Instant now, DispatchOutbox& out) {
  std::vector<Limbo> settled;
  std::erase_if(limbo_, [&](const Limbo& limbo) {
    if (limbo.question > answered) return false;
    settled.push_back(limbo);
    return true;
  });
  for (const Limbo& limbo : settled) {
    for (const JobSpan& open : done_.missing_from(limbo.jobs)) {
      if (limbo.died && policy_.deaths_max > 0) record_deaths(open, limbo.alone, now, out);
      if (limbo.elsewhere) continue;
      for (const JobSpan& left : quarantined_.missing_from(open))
        make_pending(left, limbo.next_attempt, now, out);
    }
  }
}

// What no worker has said to hold, and the sink does not know as done, was lost with the ventilator's former
// life.
void Dispatcher::settle_undecided(Instant now, DispatchOutbox& out) {
  if (undecided_.empty() || !sink_known_) return;
  if (now < started_ + kAdoptionHalfHeartbeats * policy_.heartbeat / 2) return;
  former_frontier_ = 0;
  const std::vector<JobSpan> open = undecided_.spans();
  undecided_.clear();
  for (const JobSpan& span : open) {
    if (!policy_.hosts.limits() || !unwanted_.within(span).empty()) {
      make_pending(span, 1, now, out);
      continue;
    }
    for (JobId job = span.first; job < span.end; ++job)
      hosts_.add(job, out.host_of(job), pending_.priority_of(job));
  }
}

}  // namespace fantail
