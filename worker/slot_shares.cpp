#include "worker/slot_shares.h"

#include <algorithm>
#include <limits>

namespace fantail {

namespace {

// A slot whose job has just ended is not given away while the next one may be on its way.
constexpr Duration kHold = std::chrono::milliseconds(10);
// A debt, or its opposite, is remembered for so long a time of one slot.
constexpr double kOwedMaxUs = 1e6;

double as_microseconds(Duration duration) {
  return static_cast<double>(duration.count());
}

}  // namespace

void SlotShares::set_demand(const std::string& run, const Demand& demand, Instant now) {
  account(now);
  const bool idle = !runs_.contains(run) || runs_[run].wants(now) == 0;
  Run& known = runs_[run];
  if (idle && demand.wanted > 0) {
    // It begins level with those who have received the least.
    double least = std::numeric_limits<double>::max();
    for (const auto& [name, other] : runs_) {
      if (&other != &known && other.wants(now) > 0) least = std::min(least, other.received_us);
    }
    if (least < std::numeric_limits<double>::max())
      known.turn_us = known.received_us = std::max(known.received_us, least);
  }
  if (now < known.held_until && demand.wanted >= known.held) known.held_until = now;
  if (now >= known.held_until && demand.wanted < known.demand.wanted) {
    known.held = known.demand.wanted;
    known.held_until = now + kHold;
  }
  known.demand = demand;
  if (demand.up_to_date) known.bound = known.allotted;
}

void SlotShares::remove(const std::string& run, Instant now) {
  account(now);
  runs_.erase(run);
}

std::uint32_t SlotShares::allotment(const std::string& run) const {
  const auto found = runs_.find(run);
  return found == runs_.end() ? 0 : found->second.allotted;
}

// What is kept for a run counts as received, whether or not it finds a job for it in time.
void SlotShares::account(Instant now) {
  const Duration passed = runs_.empty() ? Duration{0} : now - accounted_;
  accounted_ = std::max(now, accounted_);
  if (passed.count() <= 0) return;
  std::uint64_t wanted_by_all = 0;
  for (const auto& [name, run] : runs_)
    wanted_by_all += run.wants(now - passed);
  // Where there is enough for everybody nothing is owed, and what one gets beyond its share is no debt.
  const bool contended = wanted_by_all > slots_;
  for (auto& [name, run] : runs_) {
    const std::uint32_t wanted = run.wants(now - passed);
    const double received =
        as_microseconds(passed) * std::max(run.demand.used, std::min(run.allotted, wanted));
    run.received_us += received;
    const double due = wanted > 0 ? as_microseconds(passed) * slots_ / kLeastShare : 0;
    const double most = kOwedMaxUs * least_slots();
    run.owed_us = contended ? std::clamp(run.owed_us + due - received, -most, most) : 0;
    if (wanted == 0) run.owed_us = std::min(run.owed_us, 0.0);
    if (run.owed_us <= 0) run.goes_first = false;
  }
}

void SlotShares::begin_turn(Instant now) {
  if (now < turn_at_ + kTurn) return;
  turn_at_ = now;
  for (auto& [name, run] : runs_) {
    run.turn_us = run.received_us;
    if (run.owed_us >= as_microseconds(kTurn) * least_slots()) run.goes_first = true;
  }
}

std::vector<SlotShares::Run*> SlotShares::in_order(Instant now) {
  std::vector<Run*> runs;
  for (auto& [name, run] : runs_) {
    run.target = 0;
    if (run.wants(now) > 0) runs.push_back(&run);
  }
  std::stable_sort(runs.begin(), runs.end(), [](const Run* one, const Run* other) {
    if (one->demand.priority != other->demand.priority) return one->demand.priority > other->demand.priority;
    return one->turn_us < other->turn_us;
  });
  return runs;
}

void SlotShares::set_targets(const std::vector<Run*>& runs, Instant now) const {
  std::uint32_t left = slots_;
  for (Run* run : runs) {
    if (!run->goes_first) continue;
    run->target = std::min({run->wants(now), least_slots(), left});
    left -= run->target;
  }
  for (auto first = runs.begin(); first != runs.end();) {
    const auto last = std::find_if(
        first, runs.end(), [&](const Run* run) { return run->demand.priority != (*first)->demand.priority; });
    // One by one, to whoever has the fewest.
    for (std::uint32_t level = 1; left > 0; ++level) {
      bool anyone = false;
      for (auto each = first; each != last; ++each) {
        Run& run = **each;
        if (run.wants(now) < level) continue;
        anyone = true;
        if (run.target >= level || left == 0) continue;
        ++run.target;
        --left;
      }
      if (!anyone) break;
    }
    first = last;
  }
}

void SlotShares::allot(const std::vector<Run*>& runs) {
  std::uint64_t occupied = 0;
  for (auto& [name, run] : runs_) {
    run.allotted = std::min(run.allotted, run.target);
    occupied += run.occupied();
  }
  for (Run* run : runs) {
    const std::uint32_t had = run->occupied();
    const std::uint64_t room = had + (slots_ > occupied ? slots_ - occupied : 0);
    run->allotted =
        std::max(run->allotted, static_cast<std::uint32_t>(std::min<std::uint64_t>(run->target, room)));
    run->bound = std::max(run->bound, run->allotted);
    occupied += run->occupied() - had;
  }
}

Instant SlotShares::decide(Instant now) {
  account(now);
  begin_turn(now);
  const std::vector<Run*> runs = in_order(now);
  set_targets(runs, now);
  allot(runs);
  return next_look(now);
}

Instant SlotShares::next_look(Instant now) const {
  Instant next = kNever;
  for (const auto& [name, run] : runs_) {
    if (run.wants(now) > run.target) next = std::min(next, turn_at_ + kTurn);
    if (now < run.held_until) next = std::min(next, run.held_until);
  }
  return next;
}

}  // namespace fantail
