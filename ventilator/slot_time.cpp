#include "ventilator/slot_time.h"

#include <algorithm>

namespace fantail {

SlotCounts& SlotCounts::operator+=(const SlotCounts& more) {
  running += more.running;
  free += more.free;
  blocked += more.blocked;
  unconnected += more.unconnected;
  return *this;
}

SlotCounts& SlotCounts::operator-=(const SlotCounts& less) {
  running -= less.running;
  free -= less.free;
  blocked -= less.blocked;
  unconnected -= less.unconnected;
  return *this;
}

void SlotTime::advance(Instant now, const SlotCounts& slots, std::uint64_t workers, proto::SlotUse wait_for) {
  pass(now);
  since_ = now;
  slots_ = slots;
  workers_ = workers;
  wait_for_ = wait_for;
}

void SlotTime::stop(Instant now) {
  pass(now);
  since_.reset();
}

void SlotTime::pass(Instant now) {
  if (!since_) return;
  const auto elapsed = static_cast<std::uint64_t>(std::max(now - *since_, Duration{0}).count());
  slots_us_[proto::SLOT_HAS_JOB] += slots_.running * elapsed;
  slots_us_[static_cast<std::size_t>(wait_for_)] += slots_.free * elapsed;
  slots_us_[proto::SLOT_SINK] += slots_.blocked * elapsed;
  slots_us_[proto::SLOT_CONNECTION] += slots_.unconnected * elapsed;
  binding_us_[static_cast<std::size_t>(binding())] += elapsed;
  workers_us_ += workers_ * elapsed;
}

// What keeps the next job from starting. Where no slot is free it is what most of them do.
proto::SlotUse SlotTime::binding() const {
  if (slots_.free > 0) return wait_for_;
  if (slots_.running >= std::max(slots_.blocked, slots_.unconnected)) return proto::SLOT_HAS_JOB;
  return slots_.blocked >= slots_.unconnected ? proto::SLOT_SINK : proto::SLOT_CONNECTION;
}

void SlotTime::put(Instant now, proto::SlotTime& sums) const {
  SlotTime until = *this;
  until.pass(now);
  sums.mutable_slots_us()->Assign(until.slots_us_.begin(), until.slots_us_.end());
  sums.mutable_binding_us()->Assign(until.binding_us_.begin(), until.binding_us_.end());
  sums.set_workers_us(until.workers_us_);
}

}  // namespace fantail
