// Adds up over a run how long slots had jobs, and what those without one waited for. Statistics: nothing is
// decided by it. Knows no clock, and no workers: a call costs the same whatever their number.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "messages.pb.h"
#include "pipeline/instant.h"

namespace fantail {

// Of one worker, or of all.
struct SlotCounts {
  std::uint64_t running = 0;      // have a job, as far as the credit tells
  std::uint64_t free = 0;         // could have one
  std::uint64_t blocked = 0;      // get none before the sink has caught up with their worker
  std::uint64_t unconnected = 0;  // their worker's lane is down

  SlotCounts& operator+=(const SlotCounts& more);
  SlotCounts& operator-=(const SlotCounts& less);
};

class SlotTime {
 public:
  // From now on, and until the next call, the slots are used like this; `wait_for` tells why the free ones
  // have no job. Adds up what passed until now.
  void advance(Instant now, const SlotCounts& slots, std::uint64_t workers, proto::SlotUse wait_for);
  // Time does not count from now on, until advance is called again.
  void stop(Instant now);
  // The sums, up to now.
  void put(Instant now, proto::SlotTime& sums) const;

 private:
  using Sums = std::array<std::uint64_t, proto::SlotUse_ARRAYSIZE>;

  void pass(Instant now);
  proto::SlotUse binding() const;

  std::optional<Instant> since_;  // when the following became true
  SlotCounts slots_;
  std::uint64_t workers_ = 0;
  proto::SlotUse wait_for_ = proto::SLOT_INPUT;

  Sums slots_us_{};
  Sums binding_us_{};
  std::uint64_t workers_us_ = 0;
};

}  // namespace fantail
