#include "ventilator/slot_time.h"

#include <gtest/gtest.h>

#include <vector>

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kSecond = 1'000'000;

class SlotTimeTest : public testing::Test {
 protected:
  void pass(Duration duration) { now += duration; }
  void advance(const SlotCounts& slots, proto::SlotUse wait_for = proto::SLOT_INPUT,
               std::uint64_t workers = 1) {
    time.advance(now, slots, workers, wait_for);
  }
  proto::SlotTime sums() const {
    proto::SlotTime sums;
    time.put(now, sums);
    return sums;
  }
  std::uint64_t slots(proto::SlotUse use) const { return sums().slots_us(use); }
  std::uint64_t binding(proto::SlotUse use) const { return sums().binding_us(use); }

  SlotTime time;
  Instant now = Instant{} + std::chrono::hours(1);
};

TEST_F(SlotTimeTest, CountsNothingBeforeItBegins) {
  pass(seconds(3));
  EXPECT_EQ(slots(proto::SLOT_HAS_JOB), 0u);
  advance({.running = 2});
  EXPECT_EQ(slots(proto::SLOT_HAS_JOB), 0u);
  EXPECT_EQ(sums().workers_us(), 0u);
}

TEST_F(SlotTimeTest, AddsUpWhatSlotsDidUntilTheyChanged) {
  advance({.running = 3, .free = 1, .blocked = 2, .unconnected = 4}, proto::SLOT_RATE, 5);
  pass(seconds(2));
  advance({.running = 4}, proto::SLOT_TAIL, 1);
  pass(milliseconds(500));
  EXPECT_EQ(slots(proto::SLOT_HAS_JOB), 3 * 2 * kSecond + 4 * kSecond / 2);
  EXPECT_EQ(slots(proto::SLOT_RATE), 2 * kSecond);
  EXPECT_EQ(slots(proto::SLOT_SINK), 2 * 2 * kSecond);
  EXPECT_EQ(slots(proto::SLOT_CONNECTION), 4 * 2 * kSecond);
  EXPECT_EQ(slots(proto::SLOT_TAIL), 0u);
  EXPECT_EQ(sums().workers_us(), 5 * 2 * kSecond + kSecond / 2);
}

TEST_F(SlotTimeTest, WhatFreeSlotsWaitForBinds) {
  advance({.running = 7, .free = 1}, proto::SLOT_HOST);
  pass(seconds(1));
  advance({.running = 8}, proto::SLOT_HOST);
  pass(seconds(2));
  advance({.running = 1, .blocked = 2, .unconnected = 1});
  pass(seconds(4));
  advance({.unconnected = 2});
  pass(seconds(8));
  advance({});
  pass(seconds(16));
  EXPECT_EQ(binding(proto::SLOT_HOST), kSecond);
  EXPECT_EQ(binding(proto::SLOT_SINK), 4 * kSecond);
  EXPECT_EQ(binding(proto::SLOT_CONNECTION), 8 * kSecond);
  // No slot was free, or none there.
  EXPECT_EQ(binding(proto::SLOT_HAS_JOB), (2 + 16) * kSecond);
}

TEST_F(SlotTimeTest, StopsAndGoesOn) {
  advance({.running = 1});
  pass(seconds(1));
  time.stop(now);
  pass(seconds(10));
  time.stop(now);
  EXPECT_EQ(slots(proto::SLOT_HAS_JOB), kSecond);
  advance({.running = 1});
  pass(seconds(2));
  EXPECT_EQ(slots(proto::SLOT_HAS_JOB), 3 * kSecond);
}

TEST(SlotCounts, AddUp) {
  SlotCounts all{.running = 1, .free = 2, .blocked = 3, .unconnected = 4};
  all += {.running = 10, .free = 20, .blocked = 30, .unconnected = 40};
  all -= {.running = 1, .free = 2, .blocked = 3, .unconnected = 4};
  EXPECT_EQ(all.running, 10u);
  EXPECT_EQ(all.free, 20u);
  EXPECT_EQ(all.blocked, 30u);
  EXPECT_EQ(all.unconnected, 40u);
}

}  // namespace
}  // namespace fantail
