// Where the time of a run's slots went, what keeps the run from being faster, and what one more worker would
// bring. Pure. docs/REPORT.md has the rules.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fantail {

namespace proto {
class SlotTime;
}  // namespace proto

// How a slot spends its time, in the order of the report.
enum class SlotPart : std::uint8_t {
  kWorking,     // on attempts that brought an outcome, ok or failed
  kRetried,     // on attempts that failed and were not the last ones
  kHedged,      // on copies of jobs that another copy brought to their end
  kCancelled,   // on attempts that were stopped
  kNetwork,     // has a job that is on its way or waits beside it, or its outcome is; its lane is down
  kInput,       // waits for the input
  kRate,        // --rate
  kMaxRunning,  // --max-running
  kHost,        // limits per host
  kPaused,
  kBackoff,     // waits for jobs that are to be tried again later
  kVentilator,  // it does not give jobs away that it has, or is away
  kSink,        // it is away, behind, or records the last outcomes
  kTail         // there are no more jobs, but others still run
};
inline constexpr std::size_t kSlotParts = static_cast<std::size_t>(SlotPart::kTail) + 1;

std::string_view slot_part_name(SlotPart part);  // as in the report: "working", "max_running"
std::string_view binding_name(SlotPart part);    // the same, but "workers" where slots are working

struct WorkTime {
  std::uint64_t final_us = 0;    // of ok and failed jobs
  std::uint64_t stopped_us = 0;  // of cancelled and expired ones
  std::uint64_t retried_us = 0;
  std::uint64_t hedged_us = 0;  // of copies that lost, as far as the ventilator can tell
};

struct Efficiency {
  struct OneMoreWorker {
    double speedup = 1;  // of the run
    std::uint64_t saved_us = 0;
  };

  std::array<std::uint64_t, kSlotParts> parts_us{};  // by SlotPart
  double slots = 0;                                  // there were so many on average
  SlotPart binding = SlotPart::kWorking;             // what bound the run for longest; kWorking: its workers
  std::optional<OneMoreWorker> one_more_worker;      // none where there were no workers

  std::uint64_t part_us(SlotPart part) const { return parts_us[static_cast<std::size_t>(part)]; }
  std::uint64_t total_us() const;
  double share(SlotPart part) const;  // of the total; 0 where that is 0
};

// Of a wall time that ends with the last commit. Nothing where no slot was ever measured.
std::optional<Efficiency> measure_efficiency(const proto::SlotTime& slot_time, const WorkTime& work,
                                             std::uint64_t wall_us);

// What the ventilator measured in another life.
void add_slot_time(const proto::SlotTime& more, proto::SlotTime& sums);

}  // namespace fantail
