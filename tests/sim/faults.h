// What the simulator does to a run, and how often it did: a search that never killed anybody proves nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fantail::sim {

enum class Fault : std::size_t {
  kControlLost,
  kControlDuplicated,
  kControlReordered,
  kPartition,
  kStalled,         // a message held up by a partition, delivered after it
  kStaleDelivered,  // a message for a process that died, delivered to its successor
  kLaneCut,
  kLaneDropped,  // and noticed by the ventilator
  kLaneMessageLost,
  kResultsCut,
  kResultsLost,
  kPortReused,  // a worker's old lane socket reached the lane of another
  kWorkerPaused,
  kVentilatorPaused,
  kSinkPaused,
  kWorkerKilled,
  kVentilatorKilled,
  kSinkKilled,
  kKilledSpooling,      // the ventilator, between the spool's sync and the dispatcher
  kKilledAtFrontier,    // the ventilator, between moving the frontier and giving jobs away
  kKilledBeforeCommit,  // the sink, with staged rows that are lost
  kKilledAfterCommit,   // the sink, before anyone was told
  kKilledReporting,     // the sink, between the last commit and RunDone
  kDiskFull,
  kFrontierRefused,
  kWorkerDrained,
  kWorkerLate,
  kInterrupted,
  kInterruptedTwice,
  kDeadline,
  kPoison,
  kQuarantined,
  kPermitWanted,
  kHostBusy,
  kForeignResults,
  kAttemptFailed,
  kGoalReached,
  kGroupWon,
  kCopyGiven,
  kCopyWon,
  kDiscarded,
  kCount
};

inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::kCount);

inline constexpr std::array<const char*, kFaults> kFaultNames = {"control message lost",
                                                                 "control message duplicated",
                                                                 "control message reordered",
                                                                 "partition",
                                                                 "message held up by a partition",
                                                                 "message for a former life",
                                                                 "lane cut",
                                                                 "lane without its connection",
                                                                 "lane message lost",
                                                                 "results cut",
                                                                 "results lost",
                                                                 "lane port reused",
                                                                 "worker paused",
                                                                 "ventilator paused",
                                                                 "sink paused",
                                                                 "worker killed",
                                                                 "ventilator killed",
                                                                 "sink killed",
                                                                 "ventilator killed while spooling",
                                                                 "ventilator killed at the frontier",
                                                                 "sink killed before its commit",
                                                                 "sink killed after its commit",
                                                                 "sink killed before RunDone",
                                                                 "disk full",
                                                                 "frontier not writable",
                                                                 "worker drained",
                                                                 "worker late",
                                                                 "interrupted",
                                                                 "interrupted twice",
                                                                 "deadline passed",
                                                                 "worker died of a poison job",
                                                                 "job quarantined",
                                                                 "permit for another host",
                                                                 "host that is busy",
                                                                 "results of another run",
                                                                 "attempt failed for now",
                                                                 "run halted",
                                                                 "group won",
                                                                 "copy of a straggler",
                                                                 "copy that came first",
                                                                 "job that nobody wants any more"};

class FaultCounts {
 public:
  void add(Fault fault) { ++counts_[static_cast<std::size_t>(fault)]; }
  std::uint64_t of(Fault fault) const { return counts_[static_cast<std::size_t>(fault)]; }
  void add(const FaultCounts& other) {
    for (std::size_t index = 0; index < kFaults; ++index)
      counts_[index] += other.counts_[index];
  }
  std::array<std::uint64_t, kFaults>& raw() { return counts_; }

 private:
  std::array<std::uint64_t, kFaults> counts_{};
};

}  // namespace fantail::sim
