#include "sink/commit_schedule.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

using std::chrono::milliseconds;

constexpr Instant kStart = Instant{} + std::chrono::hours(1);

TEST(CommitSchedule, ALoneResultWaitsForNobody) {
  CommitSchedule schedule;
  EXPECT_TRUE(schedule.due(false, false, kStart));
}

TEST(CommitSchedule, MoreThatArrivesIsWaitedForSoLong) {
  CommitSchedule schedule;
  EXPECT_FALSE(schedule.due(true, false, kStart));
  EXPECT_FALSE(schedule.due(true, false, kStart + milliseconds(19)));
  EXPECT_TRUE(schedule.due(true, false, kStart + milliseconds(20)));
  schedule.on_begin(kStart + milliseconds(20));
  EXPECT_FALSE(schedule.due(true, false, kStart + milliseconds(30))) << "counts anew";
}

TEST(CommitSchedule, OneCommitDoesNotFollowAnotherAtOnce) {
  CommitSchedule schedule;
  schedule.on_begin(kStart);
  EXPECT_EQ(schedule.earliest(), kStart + milliseconds(4));
  EXPECT_FALSE(schedule.due(false, false, kStart + milliseconds(3)));
  EXPECT_TRUE(schedule.due(false, true, kStart + milliseconds(3))) << "there is no room for more";
  EXPECT_TRUE(schedule.due(false, false, kStart + milliseconds(4)));
}

TEST(CommitSchedule, HoldsWhileThereIsNoSpace) {
  CommitSchedule schedule;
  EXPECT_FALSE(schedule.held(kStart));
  EXPECT_TRUE(schedule.hold("full", kStart));
  EXPECT_TRUE(schedule.held(kStart + milliseconds(499)));
  EXPECT_EQ(schedule.earliest(), kStart + milliseconds(500));
  EXPECT_FALSE(schedule.held(kStart + milliseconds(500)));
  EXPECT_FALSE(schedule.hold("full", kStart + milliseconds(500))) << "people know";
  EXPECT_TRUE(schedule.hold("busy", kStart + milliseconds(500)));
  EXPECT_FALSE(schedule.hold("full", kStart + milliseconds(1000))) << "they still know";
  EXPECT_TRUE(schedule.failing());
  EXPECT_TRUE(schedule.release());
  EXPECT_FALSE(schedule.failing());
  EXPECT_FALSE(schedule.release());
}

}  // namespace
}  // namespace fantail
