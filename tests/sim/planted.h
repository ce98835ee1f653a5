// Bugs that one might write, planted into the simulated shells one at a time: a simulator that does not find
// them would not find the next real one either.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/sim/plan.h"

namespace fantail::sim {

enum class Bug : std::size_t {
  kNone,
  kAcknowledgesBeforeCommit,
  kDedupInMemory,
  kReplaysTwice,
  kTornCommit,
  kDropsWhenBusy,
  kIgnoresFullDisk,
  kTakesForeignResults,
  kSinkEpochStays,
  kForgetsSentResults,
  kWorkerIdStays,
  kTrustsFinished,
  kSpoolsLate,
  kFrontierInMemory,
  kDeathsInMemory,
  kStopsInMemory,
  kObeysFormerLife,
  kLeasesByWallClock,
  kCancelsLosers,
  kHedgesWithoutLimit,
  kCount
};

// The seed's plan; where it would hardly ever meet the bug, with what the bug takes.
Plan plan_for(std::uint64_t seed, Bug bug);

inline constexpr std::size_t kBugs = static_cast<std::size_t>(Bug::kCount);

inline constexpr std::array<const char*, kBugs> kBugNames = {
    "none", "the sink acknowledges before it commits", "the sink knows only in memory what is done",
    "the sink counts its rows again when it restarts", "the sink commits books and rows apart",
    "the sink drops results when there are many", "the sink goes on when its disk is full",
    "the sink takes results of another run", "the sink's epoch does not grow",
    "a worker forgets results once they are sent", "a worker's id survives a restart",
    "the ventilator trusts a worker's \"finished\"", "jobs are given away before the spool is synced",
    "the frontier is not written", "deaths are not written", "a stop is not written",
    // Only workers can be hurt by an older epoch: what the sink and the ventilator hear from a former life is
    // fenced by question and message numbers as well, and says nothing that was not durable. It takes a stop
    // that died with the ventilator because there was no space for it, and a pong of that life that comes
    // after the next one's welcome: the worker then refuses every job for ever. Seeds that met this by chance
    // were not among the first 2,000, so plan_for draws it.
    "a worker obeys a ventilator's former life",
    // Forward steps look like a pause of the ventilator, which it forgives; it takes a step back, with a
    // worker that dies after it.
    "leases run by the wall clock, which is set back", "a copy that lost is told as cancelled",
    "copies may cost what they like"};

}  // namespace fantail::sim
