// What the dispatcher tells of slots: how many have jobs, and what the others wait for.
#include <algorithm>

#include "ventilator/dispatcher.h"

namespace fantail {

// After every change to what a worker holds, or may be given.
void Dispatcher::count_slots(Worker& worker) {
  slots_ -= worker.counted;
  SlotCounts counted;
  counted.running = std::min<std::uint64_t>(worker.outstanding(), worker.slots);
  const std::uint64_t empty = worker.slots - counted.running;
  // Those of a worker that joins or leaves are not there for anybody.
  if (!worker.draining && worker.dropped()) counted.unconnected = empty;
  if (!worker.draining && worker.open) (worker.blocked ? counted.blocked : counted.free) = empty;
  worker.counted = counted;
  slots_ += counted;
  max_running_ = std::max(max_running_, slots_.running);
}

// From the first dispatch of the run, be it in a former life, until all is done.
void Dispatcher::measure_slots(Instant now) {
  const bool over = closed_ && done_.size() >= spooled_;
  if (frontier_ == 0 || over) return slot_time_.stop(now);
  slot_time_.advance(now, slots_, workers_.size(), free_slots_wait_for(now));
}

// What could be given away is: a slot that is free has a reason.
proto::SlotUse Dispatcher::free_slots_wait_for(Instant now) const {
  if (stop_level_ == proto::STOP_NONE) {
    if (paused_) return proto::SLOT_PAUSED;
    if (!may_dispatch(now)) return proto::SLOT_SINK;
    const bool any_due = pending() > 0 || retry_queue_.next_wake() <= now;
    if (any_due && room(now) == 0)
      return rate_.allowed(now) == 0 ? proto::SLOT_RATE : proto::SLOT_MAX_RUNNING;
    if (hosts_.waiting() > 0) return proto::SLOT_HOST;
    if (pending() > 0 || !undecided_.empty()) return proto::SLOT_VENTILATOR;
    if (!closed_) return proto::SLOT_INPUT;
    if (retry_queue_.size() > 0) return proto::SLOT_BACKOFF;
  }
  return slots_.running > 0 ? proto::SLOT_TAIL : proto::SLOT_SINK;
}

}  // namespace fantail
