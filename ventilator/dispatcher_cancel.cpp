// Jobs that are cancelled while the run goes on: people name them, or their group has its winners.
#include <set>

#include "pipeline/job_ranges.h"
#include "ventilator/dispatcher.h"

namespace fantail {

void Dispatcher::cancel(const RangeSet& jobs, Instant now, DispatchOutbox& out) {
  std::set<WorkerId> holders;
  RangeSet waiting;
  for (const JobSpan& span : jobs.spans()) {
    for (const JobSpan& open : done_.missing_from(span)) {
      unwanted_.insert(open);
      take_waiting(open, waiting, out);
      for (const JobId job : hedging_.within(open))
        hedging_.take_back(job);
      for (const Lease& lease : leases_.within(open))
        holders.insert(lease.worker);
    }
  }
  if (cancelled_.empty()) cancelled_again_.start(now);
  for (const JobSpan& span : waiting.spans())
    cancelled_.insert(span);
  if (!waiting.empty() && sink_opened_) out.propose(waiting.spans(), Verdict::kUnwanted);
  // What a worker holds it stops itself. Each of its heartbeats is told again.
  for (const WorkerId& holder : holders)
    send_pong(holder, out);
  tell_discarded(out);
  facts_changed_ = true;
  ask_sink(now, out);
}

void Dispatcher::take_waiting(JobSpan jobs, RangeSet& taken, DispatchOutbox& out) {
  for (const JobId job : retry_queue_.take(jobs))
    taken.insert(job);
  for (const JobSpan& part : pending_.within(jobs)) {
    pending_.erase(part);
    taken.insert(part);
  }
  for (RangeSet* waiting : {&long_, &suspects_}) {
    for (const JobSpan& part : waiting->within(jobs)) {
      waiting->erase(part);
      taken.insert(part);
    }
  }
  for (JobId job = jobs.first; hosts_.waiting() > 0 && job < jobs.end; ++job) {
    if (hosts_.withdraw(job, out.host_of(job))) taken.insert(job);
  }
}

// Again and again, until the sink's log names them.
void Dispatcher::propose_cancelled(Instant now, DispatchOutbox& out) {
  if (!cancelled_.empty() && sink_opened_ && cancelled_again_.due(now))
    out.propose(cancelled_.spans(), Verdict::kUnwanted);
}

void Dispatcher::put_cancelled(const WorkerId& id, JobRanges* ranges) const {
  if (unwanted_.empty()) return;
  for (const Lease& lease : leases_.of(id))
    put_ranges(unwanted_.within(lease.jobs), ranges);
}

void Dispatcher::on_spooled_job(const SpooledJob& spooled) {
  if (closed_) return;
  const JobId job = spooled_++;
  facts_changed_ = true;
  if (done_.contains(job)) return;
  pending_.set_priority(job, spooled.priority);
  if (spec_.policy().halt().per_group()) {
    if (won_groups_.contains(spooled.group)) {
      unwanted_.insert(job);
    } else {
      groups_[spooled.group].insert(job);
    }
  }
  if (job < former_frontier_) {
    undecided_.insert(job);
  } else if (unwanted_.contains(job)) {
    cancelled_.insert(job);
  } else if (policy_.hosts.limits()) {
    hosts_.add(job, spooled.host, spooled.priority);
  } else {
    pending_.insert(job);
  }
}

void Dispatcher::on_won(const proto::RunLog& log, Instant now, DispatchOutbox& out) {
  RangeSet losers;
  for (const std::string& group : log.won_groups()) {
    if (!won_groups_.insert(group).second) continue;
    const auto jobs = groups_.extract(group);
    for (const JobSpan& span : jobs ? jobs.mapped().spans() : std::vector<JobSpan>{})
      losers.insert(span);
  }
  won_offset_ = log.won_offset();
  if (!losers.empty()) cancel(losers, now, out);
}

}  // namespace fantail
