#include "sink/efficiency.h"

#include <gtest/gtest.h>

#include <map>

#include "messages.pb.h"

namespace fantail {
namespace {

constexpr std::uint64_t kSecond = 1'000'000;

using Uses = std::map<proto::SlotUse, std::uint64_t>;

// Of one worker, in seconds.
proto::SlotTime slot_time_of(const Uses& slots_s, const Uses& binding_s) {
  proto::SlotTime time;
  time.mutable_slots_us()->Resize(proto::SlotUse_ARRAYSIZE, 0);
  time.mutable_binding_us()->Resize(proto::SlotUse_ARRAYSIZE, 0);
  for (const auto& [use, s] : slots_s)
    time.set_slots_us(use, s * kSecond);
  for (const auto& [use, s] : binding_s) {
    time.set_binding_us(use, s * kSecond);
    time.set_workers_us(time.workers_us() + s * kSecond);
  }
  return time;
}

TEST(Efficiency, OfNothingIsNothing) {
  EXPECT_FALSE(measure_efficiency({}, {}, 0));
  EXPECT_FALSE(measure_efficiency({}, {kSecond, 0, 0}, kSecond));
  // Nobody ever had a slot.
  EXPECT_FALSE(measure_efficiency(slot_time_of({}, {{proto::SLOT_HAS_JOB, 5}}), {}, 5 * kSecond));
}

TEST(Efficiency, SplitsTheTimeOfSlots) {
  const Uses slots = {{proto::SLOT_HAS_JOB, 100},   {proto::SLOT_INPUT, 1},      {proto::SLOT_RATE, 2},
                      {proto::SLOT_MAX_RUNNING, 3}, {proto::SLOT_HOST, 4},       {proto::SLOT_PAUSED, 5},
                      {proto::SLOT_BACKOFF, 6},     {proto::SLOT_VENTILATOR, 7}, {proto::SLOT_SINK, 8},
                      {proto::SLOT_CONNECTION, 9},  {proto::SLOT_TAIL, 10}};
  const auto result =
      measure_efficiency(slot_time_of(slots, {{proto::SLOT_HAS_JOB, 31}}),
                         {70 * kSecond, 10 * kSecond, 5 * kSecond, 3 * kSecond}, 31 * kSecond);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->total_us(), 155 * kSecond);
  EXPECT_DOUBLE_EQ(result->slots, 5);
  EXPECT_NEAR(result->share(SlotPart::kWorking), 70.0 / 155, 1e-9);
  const std::map<SlotPart, std::uint64_t> expected = {
      {SlotPart::kWorking, 70}, {SlotPart::kRetried, 5},      {SlotPart::kCancelled, 10},
      {SlotPart::kHedged, 3},   {SlotPart::kNetwork, 12 + 9}, {SlotPart::kInput, 1},
      {SlotPart::kRate, 2},     {SlotPart::kMaxRunning, 3},   {SlotPart::kHost, 4},
      {SlotPart::kPaused, 5},   {SlotPart::kBackoff, 6},      {SlotPart::kVentilator, 7},
      {SlotPart::kSink, 8},     {SlotPart::kTail, 10}};
  ASSERT_EQ(expected.size(), kSlotParts);
  for (const auto& [part, s] : expected)
    EXPECT_EQ(result->part_us(part), s * kSecond) << slot_part_name(part);
}

// It is known up to when a copy was seen to have stopped, which is later than it did.
TEST(Efficiency, CopiesWorkedNoLongerThanSlotsHadJobs) {
  const auto result =
      measure_efficiency(slot_time_of({{proto::SLOT_HAS_JOB, 100}}, {{proto::SLOT_HAS_JOB, 50}}),
                         {90 * kSecond, 0, 0, 20 * kSecond}, 50 * kSecond);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->part_us(SlotPart::kHedged), 10 * kSecond);
  EXPECT_EQ(result->total_us(), 100 * kSecond);
}

// A worker that was taken for dead has worked all the same.
TEST(Efficiency, MoreWorkThanWasSeenMakesTheTotalLarger) {
  const auto result = measure_efficiency(
      slot_time_of({{proto::SLOT_HAS_JOB, 10}, {proto::SLOT_TAIL, 2}}, {{proto::SLOT_HAS_JOB, 12}}),
      {15 * kSecond, 0, 0}, 12 * kSecond);
  EXPECT_EQ(result->part_us(SlotPart::kNetwork), 0u);
  EXPECT_EQ(result->total_us(), 17 * kSecond);
  EXPECT_EQ(result->binding, SlotPart::kWorking);
}

// Two slots, measured for six of ten seconds. What was worked meanwhile is not the ventilator's.
TEST(Efficiency, TimeWithoutAVentilatorIsItsOwn) {
  const auto result =
      measure_efficiency(slot_time_of({{proto::SLOT_HAS_JOB, 12}}, {{proto::SLOT_HAS_JOB, 6}}),
                         {14 * kSecond, 0, 0}, 10 * kSecond);
  EXPECT_EQ(result->total_us(), 20 * kSecond);
  EXPECT_EQ(result->part_us(SlotPart::kVentilator), 6 * kSecond);
  EXPECT_EQ(result->part_us(SlotPart::kNetwork), 0u);
  EXPECT_EQ(result->binding, SlotPart::kWorking);
}

// The ventilator hears of it half a second later.
TEST(Efficiency, EndsWithTheLastCommit) {
  const auto result = measure_efficiency(slot_time_of({{proto::SLOT_HAS_JOB, 4}, {proto::SLOT_SINK, 2}},
                                                      {{proto::SLOT_HAS_JOB, 2}, {proto::SLOT_SINK, 1}}),
                                         {4 * kSecond, 0, 0}, 5 * kSecond / 2);
  EXPECT_EQ(result->part_us(SlotPart::kSink), kSecond);
  EXPECT_EQ(result->total_us(), 5 * kSecond);
  EXPECT_EQ(result->one_more_worker->saved_us, kSecond);
  EXPECT_NEAR(result->one_more_worker->speedup, 2.5 / 1.5, 1e-9);
}

// The last job is done two seconds before the input ends without another.
TEST(Efficiency, EndsWithTheLastCommitAlsoWhereTheInputEndsLater) {
  const auto result = measure_efficiency(slot_time_of({{proto::SLOT_HAS_JOB, 4}, {proto::SLOT_INPUT, 6}},
                                                      {{proto::SLOT_HAS_JOB, 2}, {proto::SLOT_INPUT, 3}}),
                                         {4 * kSecond, 0, 0}, 3 * kSecond);
  EXPECT_EQ(result->part_us(SlotPart::kInput), 2 * kSecond);
  EXPECT_EQ(result->total_us(), 6 * kSecond);
  EXPECT_EQ(result->binding, SlotPart::kWorking);
}

TEST(Efficiency, WhatBindsIsWhatDidSoForLongest) {
  const auto binding = [](const Uses& binding_s, std::uint64_t worked_s, std::uint64_t wall_s) {
    return binding_name(measure_efficiency(slot_time_of({{proto::SLOT_HAS_JOB, 10}}, binding_s),
                                           {worked_s * kSecond, 0, 0}, wall_s * kSecond)
                            ->binding);
  };
  EXPECT_EQ(binding({{proto::SLOT_HAS_JOB, 5}, {proto::SLOT_RATE, 4}}, 10, 9), "workers");
  EXPECT_EQ(binding({{proto::SLOT_HAS_JOB, 5}, {proto::SLOT_RATE, 6}}, 10, 11), "rate");
  // The slots had jobs all the time, and hardly worked.
  EXPECT_EQ(binding({{proto::SLOT_HAS_JOB, 5}}, 2, 5), "network");
  EXPECT_EQ(binding({{proto::SLOT_HAS_JOB, 5}, {proto::SLOT_CONNECTION, 4}}, 5, 9), "network");
  EXPECT_EQ(binding({{proto::SLOT_HAS_JOB, 5}, {proto::SLOT_VENTILATOR, 4}}, 10, 11), "ventilator");
  EXPECT_EQ(binding({{proto::SLOT_TAIL, 5}, {proto::SLOT_INPUT, 4}}, 10, 9), "tail");
}

// Only the time in which all slots worked gets shorter.
TEST(Efficiency, TellsWhatOneMoreWorkerWouldBring) {
  proto::SlotTime time = slot_time_of({{proto::SLOT_HAS_JOB, 24}, {proto::SLOT_TAIL, 4}},
                                      {{proto::SLOT_HAS_JOB, 12}, {proto::SLOT_TAIL, 2}});
  time.set_workers_us(14 * 2 * kSecond);  // two
  const auto result = measure_efficiency(time, {24 * kSecond, 0, 0}, 14 * kSecond);
  ASSERT_TRUE(result->one_more_worker);
  EXPECT_EQ(result->one_more_worker->saved_us, 4 * kSecond);
  EXPECT_NEAR(result->one_more_worker->speedup, 1.4, 1e-9);
  time.set_workers_us(0);
  EXPECT_FALSE(measure_efficiency(time, {24 * kSecond, 0, 0}, 14 * kSecond)->one_more_worker);
}

TEST(Efficiency, SumsOfTwoLivesAddUp) {
  proto::SlotTime sums = slot_time_of({{proto::SLOT_HAS_JOB, 2}}, {{proto::SLOT_HAS_JOB, 1}});
  add_slot_time({}, sums);
  add_slot_time(slot_time_of({{proto::SLOT_HAS_JOB, 1}, {proto::SLOT_TAIL, 3}}, {{proto::SLOT_TAIL, 3}}),
                sums);
  EXPECT_EQ(sums.slots_us(proto::SLOT_HAS_JOB), 3 * kSecond);
  EXPECT_EQ(sums.slots_us(proto::SLOT_TAIL), 3 * kSecond);
  EXPECT_EQ(sums.binding_us(proto::SLOT_TAIL), 3 * kSecond);
  EXPECT_EQ(sums.workers_us(), 4 * kSecond);
  proto::SlotTime none;
  add_slot_time(sums, none);
  EXPECT_EQ(none.SerializeAsString(), sums.SerializeAsString());
}

}  // namespace
}  // namespace fantail
