// Who may use the slots that several runs share on one machine. Knows no processes and no clocks: it is told
// what each run wants and uses, and answers how many slots each may use. Higher priority goes first; among
// equals the shares are equal, and what one does not want is the others'. A run that wants slots gets one
// part in 32 of their time whatever the priorities, as soon as running jobs leave one free: nothing that runs
// is stopped for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "pipeline/instant.h"

namespace fantail {

class SlotShares {
 public:
  // How long a turn lasts where there are fewer slots than runs that want one.
  static constexpr Duration kTurn = std::chrono::milliseconds(20);
  // Every run gets one part in so many of the slots' time. Three that wait take less than a tenth from those
  // of a higher priority.
  static constexpr std::uint32_t kLeastShare = 32;

  explicit SlotShares(std::uint32_t slots) : slots_(slots) {}

  struct Demand {
    std::int32_t priority = 0;
    std::uint32_t wanted = 0;  // that it could use now, with those in use
    std::uint32_t used = 0;    // what is below its allotment need not be told
    bool up_to_date = true;    // it knows its last allotment, and `used` is no more than that allows
  };
  void set_demand(const std::string& run, const Demand& demand, Instant now);
  void remove(const std::string& run, Instant now);

  // Decides anew; the answer is when to do it next.
  Instant decide(Instant now);
  // So many may it use. A lower one takes effect as its jobs end, and until the run has said so no other gets
  // them.
  std::uint32_t allotment(const std::string& run) const;

 private:
  struct Run {
    Demand demand;
    std::uint32_t held = 0;  // wanted until a moment ago: between two jobs a run keeps its slots
    Instant held_until{};
    std::uint32_t allotted = 0;
    std::uint32_t bound = 0;  // it may believe to have so many
    double received_us = 0;   // of slots' time; idle time is no credit
    double turn_us = 0;       // the same, as of the begin of this turn
    double owed_us = 0;       // what it lacks of its least share
    bool goes_first = false;  // until that is paid
    std::uint32_t target = 0;

    std::uint32_t wants(Instant now) const {
      return now < held_until ? std::max(demand.wanted, held) : demand.wanted;
    }
    std::uint32_t occupied() const { return std::max(demand.used, bound); }
  };

  void account(Instant now);
  void begin_turn(Instant now);
  std::vector<Run*> in_order(Instant now);
  void set_targets(const std::vector<Run*>& runs, Instant now) const;
  void allot(const std::vector<Run*>& runs);
  Instant next_look(Instant now) const;
  std::uint32_t least_slots() const { return (slots_ + kLeastShare - 1) / kLeastShare; }

  std::uint32_t slots_;
  std::map<std::string, Run> runs_;
  Instant accounted_{};
  Instant turn_at_{};
};

}  // namespace fantail
