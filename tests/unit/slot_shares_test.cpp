#include "worker/slot_shares.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace fantail {
namespace {

using namespace std::chrono_literals;

const Instant kStart{std::chrono::hours(1)};

// Runs that obey: each starts jobs of its own length as far as it may, and says so at once.
class Machine {
 public:
  explicit Machine(std::uint32_t slots) : shares_(slots), slots_(slots) {}

  struct Work {
    std::int32_t priority = 0;
    Duration job = 5ms;
    std::uint64_t jobs = 1'000'000;  // that wait
    std::vector<Instant> ends{};     // of those that run
    Duration received{0};
  };
  Work& run(const std::string& name) { return runs_[name]; }
  void end(const std::string& name) {
    runs_.erase(name);
    shares_.remove(name, now_);
  }

  void pass(Duration time, Duration step = 1ms) {
    for (const Instant until = now_ + time; now_ < until; now_ += step) {
      std::uint32_t used = 0;
      for (auto& [name, work] : runs_) {
        std::erase_if(work.ends, [this](Instant end) { return end <= now_; });
        tell(name, work);
      }
      shares_.decide(now_);
      for (auto& [name, work] : runs_) {
        while (work.jobs > 0 && work.ends.size() < shares_.allotment(name)) {
          --work.jobs;
          work.ends.push_back(now_ + work.job);
        }
        tell(name, work);
        work.received += step * static_cast<int>(work.ends.size());
        used += static_cast<std::uint32_t>(work.ends.size());
      }
      ASSERT_LE(used, slots_);
      busy_ += step * static_cast<int>(used);
    }
  }
  double share(const std::string& name) {
    return static_cast<double>(runs_[name].received.count()) / static_cast<double>(passed().count() * slots_);
  }
  double busy() const {
    return static_cast<double>(busy_.count()) / static_cast<double>(passed().count() * slots_);
  }
  Duration passed() const { return now_ - kStart; }

 private:
  void tell(const std::string& name, const Work& work) {
    const auto used = static_cast<std::uint32_t>(work.ends.size());
    const auto wanted = static_cast<std::uint32_t>(std::min<std::uint64_t>(slots_, work.jobs + used));
    shares_.set_demand(name, {work.priority, wanted, used, true}, now_);
  }

  SlotShares shares_;
  std::uint32_t slots_;
  Instant now_ = kStart;
  Duration busy_{0};
  std::map<std::string, Work> runs_;
};

TEST(SlotShares, OneRunHasAllSlots) {
  SlotShares shares(4);
  shares.set_demand("a", {0, 3, 0, true}, kStart);
  EXPECT_EQ(kNever, shares.decide(kStart));
  EXPECT_EQ(3U, shares.allotment("a"));
  shares.set_demand("a", {0, 4, 3, true}, kStart + 1ms);
  shares.decide(kStart + 1ms);
  EXPECT_EQ(4U, shares.allotment("a"));
  EXPECT_EQ(0U, shares.allotment("unknown"));
}

TEST(SlotShares, EqualsShareEqually) {
  Machine machine(6);
  machine.run("a").job = 1ms;
  machine.run("b").job = 7ms;
  machine.run("c").job = 40ms;
  machine.pass(20s);
  for (const char* name : {"a", "b", "c"})
    EXPECT_NEAR(1.0 / 3, machine.share(name), 0.02) << name;
}

TEST(SlotShares, WhereSlotsAreFewerThanRunsTheyTakeTurns) {
  Machine machine(1);
  for (const char* name : {"a", "b", "c"})
    machine.run(name);
  machine.pass(20s);
  for (const char* name : {"a", "b", "c"})
    EXPECT_NEAR(1.0 / 3, machine.share(name), 0.02) << name;
}

TEST(SlotShares, WhatOneDoesNotWantIsTheOthers) {
  Machine machine(8);
  machine.run("a").jobs = 0;
  machine.run("b");
  machine.pass(1s);
  EXPECT_NEAR(1, machine.share("b"), 0.001);
}

TEST(SlotShares, HigherPriorityGoesFirst) {
  Machine machine(4);
  machine.run("low").priority = -3;
  machine.pass(100ms);
  machine.run("high").priority = 1;
  machine.pass(20s);
  EXPECT_GT(machine.share("high"), 0.95);
  EXPECT_GT(machine.busy(), 0.99);
}

TEST(SlotShares, NobodyStarves) {
  for (const std::uint32_t slots : {1U, 2U, 16U, 128U}) {
    Machine machine(slots);
    machine.run("low");
    machine.run("high").priority = 100;
    machine.run("high").job = 30ms;
    machine.run("high").jobs = 1'000'000'000;
    machine.pass(40s);
    EXPECT_GT(machine.share("low"), 0.9 / SlotShares::kLeastShare) << slots;
    EXPECT_LT(machine.share("low"), 1.1 / SlotShares::kLeastShare) << slots;
  }
}

TEST(SlotShares, WhoReceivedMuchIsOwedNothing) {
  Machine machine(2);
  machine.run("low").job = 10s;  // both slots for long, before the other comes
  machine.pass(10ms);
  machine.run("low").job = 1ms;
  machine.run("high").priority = 1;
  machine.pass(10s);
  const double before = machine.share("high");
  machine.pass(4s);
  EXPECT_LT(before, 0.01);
  EXPECT_GT(machine.run("high").received, 7900ms);
}

TEST(SlotShares, WhatNobodyElseWantedIsNoDebt) {
  Machine machine(4);
  machine.run("low");
  machine.pass(10s);
  machine.run("high").priority = 1;
  const Duration before = machine.run("low").received;
  machine.pass(1s);
  EXPECT_GT(machine.run("low").received - before, 4s * 0.8 / SlotShares::kLeastShare);
  EXPECT_LT(machine.run("low").received - before, 4s * 1.2 / SlotShares::kLeastShare);
}

TEST(SlotShares, BetweenTwoJobsASlotIsKept) {
  SlotShares shares(1);
  shares.set_demand("low", {0, 1, 0, true}, kStart);
  shares.set_demand("high", {1, 1, 1, true}, kStart);
  shares.decide(kStart);
  EXPECT_EQ(1U, shares.allotment("high"));
  shares.set_demand("high", {1, 0, 0, true}, kStart + 1ms);
  EXPECT_LE(shares.decide(kStart + 1ms), kStart + 11ms);
  EXPECT_EQ(0U, shares.allotment("low"));
  shares.decide(kStart + 11ms);
  EXPECT_EQ(0U, shares.allotment("high"));
  shares.set_demand("high", {1, 0, 0, true}, kStart + 12ms);
  shares.decide(kStart + 12ms);
  EXPECT_EQ(1U, shares.allotment("low"));
}

TEST(SlotShares, ASlotChangesHandsWhenItsRunHasSaidSo) {
  SlotShares shares(2);
  shares.set_demand("low", {0, 2, 0, true}, kStart);
  shares.decide(kStart);
  shares.set_demand("low", {0, 2, 2, true}, kStart);
  shares.set_demand("high", {1, 2, 0, true}, kStart + 1ms);
  shares.decide(kStart + 1ms);
  EXPECT_EQ(0U, shares.allotment("low"));
  EXPECT_EQ(0U, shares.allotment("high"));
  // It may not know yet that it has none, and start another in the place of one that has ended.
  shares.set_demand("low", {0, 2, 1, false}, kStart + 2ms);
  shares.decide(kStart + 2ms);
  EXPECT_EQ(0U, shares.allotment("high"));
  shares.set_demand("low", {0, 2, 1, true}, kStart + 3ms);
  shares.decide(kStart + 3ms);
  EXPECT_EQ(1U, shares.allotment("high"));
  shares.remove("low", kStart + 4ms);
  shares.decide(kStart + 4ms);
  EXPECT_EQ(2U, shares.allotment("high"));
}

TEST(SlotShares, WhoWasIdleHasNoCredit) {
  Machine machine(1);
  machine.run("idle").jobs = 0;
  machine.run("busy");
  machine.pass(5s);
  machine.run("idle").jobs = 1'000'000;
  const Duration before = machine.run("busy").received;
  machine.pass(1s);
  EXPECT_NEAR(500'000, static_cast<double>((machine.run("busy").received - before).count()), 60'000);
}

// Whatever comes and goes, no slot has two jobs (Machine looks), none is idle while one is wanted, and
// everybody gets the least share.
TEST(SlotShares, RandomArrivals) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto below = [&random](std::uint64_t limit) { return random() % limit; };
    const auto slots = static_cast<std::uint32_t>(1 + below(20));
    Machine machine(slots);
    machine.run("always").priority = -100;
    machine.run("always").jobs = 1'000'000'000;
    for (int event = 0; event < 40; ++event) {
      const std::string name = "run " + std::to_string(below(5));
      if (below(4) == 0) {
        machine.end(name);
      } else {
        Machine::Work& work = machine.run(name);
        work.priority = static_cast<std::int32_t>(below(5));
        work.job = 1ms * static_cast<int>(1 + below(30));
        work.jobs += below(3) == 0 ? 1'000'000 : below(300);
        if (below(3) == 0) work.jobs = 0;
      }
      machine.pass(1ms * static_cast<int>(below(500)));
      if (testing::Test::HasFatalFailure()) return;
    }
    machine.pass(3s);
    EXPECT_GT(machine.share("always"), 0.85 / SlotShares::kLeastShare);
    EXPECT_GT(machine.busy(), 0.95);
  }
}

}  // namespace
}  // namespace fantail
