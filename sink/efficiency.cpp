#include "sink/efficiency.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "messages.pb.h"

namespace fantail {

namespace {

using Parts = std::array<std::uint64_t, kSlotParts>;
using Column = google::protobuf::RepeatedField<std::uint64_t>;

// In the order of proto::SlotUse. What a slot with a job does is another question.
constexpr SlotPart kPartOfUse[] = {SlotPart::kWorking,    SlotPart::kInput,      SlotPart::kRate,
                                   SlotPart::kMaxRunning, SlotPart::kHost,       SlotPart::kPaused,
                                   SlotPart::kBackoff,    SlotPart::kVentilator, SlotPart::kSink,
                                   SlotPart::kNetwork,    SlotPart::kTail};
static_assert(std::size(kPartOfUse) == proto::SlotUse_ARRAYSIZE);

std::uint64_t& at(Parts& parts, SlotPart part) {
  return parts[static_cast<std::size_t>(part)];
}

std::uint64_t sum_of(const Column& column) {
  return std::accumulate(column.begin(), column.end(), std::uint64_t{0});
}

std::uint64_t less(std::uint64_t whole, std::uint64_t part) {
  return whole - std::min(whole, part);
}

std::uint64_t part_of(double share, std::uint64_t whole) {
  return static_cast<std::uint64_t>(std::llround(share * static_cast<double>(whole)));
}

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Of slots without a job. What only a later release's ventilator tells apart counts as network.
Parts by_part(const Column& column) {
  Parts parts{};
  for (int use = proto::SLOT_HAS_JOB + 1; use < column.size(); ++use)
    at(parts, use < proto::SlotUse_ARRAYSIZE ? kPartOfUse[use] : SlotPart::kNetwork) += column[use];
  return parts;
}

std::uint64_t with_jobs(const Column& column) {
  return column.empty() ? 0 : column[proto::SLOT_HAS_JOB];
}

// After the last commit slots waited for word of it, or for the input to end without another job.
void take_late(Parts& parts, std::uint64_t late_us) {
  for (const SlotPart part : {SlotPart::kSink, SlotPart::kInput}) {
    std::uint64_t& counted_us = at(parts, part);
    const std::uint64_t taken_us = std::min(counted_us, late_us);
    counted_us -= taken_us;
    late_us -= taken_us;
  }
}

}  // namespace

std::string_view slot_part_name(SlotPart part) {
  static constexpr std::string_view kNames[] = {
      "working",     "retried", "hedged", "cancelled", "network",    "input", "rate",
      "max_running", "host",    "paused", "backoff",   "ventilator", "sink",  "tail"};
  static_assert(std::size(kNames) == kSlotParts);
  return kNames[static_cast<std::size_t>(part)];
}

std::string_view binding_name(SlotPart part) {
  return part == SlotPart::kWorking ? "workers" : slot_part_name(part);
}

std::uint64_t Efficiency::total_us() const {
  return std::accumulate(parts_us.begin(), parts_us.end(), std::uint64_t{0});
}

double Efficiency::share(SlotPart part) const {
  return ratio(part_us(part), total_us());
}

std::optional<Efficiency> measure_efficiency(const proto::SlotTime& slot_time, const WorkTime& work,
                                             std::uint64_t wall_us) {
  const std::uint64_t measured_us = sum_of(slot_time.binding_us());
  const std::uint64_t measured_slots_us = sum_of(slot_time.slots_us());
  if (wall_us == 0 || measured_us == 0 || measured_slots_us == 0) return std::nullopt;
  Efficiency result;
  result.slots = ratio(measured_slots_us, measured_us);
  // While there was no ventilator nobody measured; workers went on with what they had.
  const std::uint64_t away_us = less(wall_us, measured_us);
  const std::uint64_t away_slots_us = part_of(result.slots, away_us);
  // And it goes on for some time after the last commit.
  const std::uint64_t late_us = less(measured_us, wall_us);

  const std::uint64_t busy_us = with_jobs(slot_time.slots_us());
  const std::uint64_t told_us = work.final_us + work.stopped_us + work.retried_us;
  // Until a copy is known to have stopped, the word of its end included.
  const std::uint64_t hedged_us = std::min(work.hedged_us, less(busy_us + away_slots_us, told_us));
  const std::uint64_t worked_us = told_us + hedged_us;
  const std::uint64_t not_worked_us = less(busy_us + away_slots_us, worked_us);
  const std::uint64_t away_idle_us = std::min(away_slots_us, not_worked_us);
  result.parts_us = by_part(slot_time.slots_us());
  at(result.parts_us, SlotPart::kWorking) = work.final_us;
  at(result.parts_us, SlotPart::kRetried) = work.retried_us;
  at(result.parts_us, SlotPart::kHedged) = hedged_us;
  at(result.parts_us, SlotPart::kCancelled) = work.stopped_us;
  at(result.parts_us, SlotPart::kNetwork) += not_worked_us - away_idle_us;
  at(result.parts_us, SlotPart::kVentilator) += away_idle_us;
  take_late(result.parts_us, part_of(result.slots, late_us));

  // Of the time in which there was no free slot, as much is due to the workers as the slots then worked.
  Parts binding = by_part(slot_time.binding_us());
  const double worked = busy_us == 0 ? 1 : std::min(ratio(worked_us, busy_us), 1.0);
  const std::uint64_t full_us = with_jobs(slot_time.binding_us());
  const std::uint64_t workers_us = part_of(worked, full_us);
  at(binding, SlotPart::kWorking) = workers_us;
  at(binding, SlotPart::kNetwork) += full_us - workers_us;
  at(binding, SlotPart::kVentilator) += away_us;
  take_late(binding, late_us);
  result.binding = static_cast<SlotPart>(std::max_element(binding.begin(), binding.end()) - binding.begin());

  if (const double workers = ratio(slot_time.workers_us(), measured_us); workers > 0) {
    const std::uint64_t saved_us = part_of(1 / (workers + 1), workers_us);
    result.one_more_worker = {ratio(wall_us, less(wall_us, saved_us)), saved_us};
  }
  return result;
}

void add_slot_time(const proto::SlotTime& more, proto::SlotTime& sums) {
  const auto add = [](const Column& from, Column& to) {
    to.Resize(std::max(to.size(), from.size()), 0);
    for (int use = 0; use < from.size(); ++use)
      to[use] += from[use];
  };
  add(more.slots_us(), *sums.mutable_slots_us());
  add(more.binding_us(), *sums.mutable_binding_us());
  sums.set_workers_us(sums.workers_us() + more.workers_us());
}

}  // namespace fantail
