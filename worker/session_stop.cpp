// How a session ends jobs before they have: the run is stopped or paused, or single jobs are cancelled.
#include "pipeline/job_ranges.h"
#include "worker/session.h"

namespace fantail {

void Session::on_pong(const proto::VentilatorPong& pong, Instant now, SessionOutbox& out) {
  if (pong.run_id() != run_id_) return;
  if (pong.paused()) give_back_queued(now, out);
  discard(set_below(kJobIdsMax, pong.discarded()), now, out);
  cancel(set_below(kJobIdsMax, pong.cancelled()), now, out);
  if (pong.stop_level() <= stop_level_) return;
  stop_level_ = pong.stop_level();
  drop_queued(out);
  if (stop_level_ == proto::STOP_RUNNING) {
    out.stop_running(pong.stop_status() == proto::STATUS_EXPIRED ? StopReason::kExpired
                                                                 : StopReason::kCancelled);
  }
  send_status(true, now, out);
}

void Session::give_back_queued(Instant now, SessionOutbox& out) {
  const std::uint64_t before = active_.size();
  drop_queued(out);
  if (active_.size() < before) send_status(true, now, out);
}

RangeSet Session::active(const RangeSet& jobs) const {
  RangeSet here;
  for (const JobSpan& span : jobs.spans()) {
    for (const JobSpan& part : active_.within(span))
      here.insert(part);
  }
  return here;
}

// Running ones answer as jobs do. The others are not held any more, and the ventilator ends them.
void Session::cancel(const RangeSet& jobs, Instant now, SessionOutbox& out) {
  const RangeSet here = active(jobs);
  if (here.empty()) return;
  const std::vector<JobId> dropped = out.cancel(here);
  for (const JobId id : dropped)
    let_go(id);
  if (!dropped.empty()) send_status(true, now, out);
}

// Those that a slot has started are held until they have stopped: so long they take room.
void Session::discard(const RangeSet& jobs, Instant now, SessionOutbox& out) {
  for (const JobSpan& span : active(jobs).spans())
    discarded_.insert(span);
  cancel(jobs, now, out);
}

void Session::drop_queued(SessionOutbox& out) {
  for (const JobId id : out.drop_queued())
    let_go(id);
}

void Session::let_go(JobId job) {
  for (RangeSet* jobs : {&active_, &discarded_, &copies_})
    jobs->erase(job);
}

}  // namespace fantail
