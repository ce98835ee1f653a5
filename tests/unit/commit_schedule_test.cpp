#include "sink/commit_schedule.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

using std::chrono::milliseconds;

constexpr Instant kStart = Instant{} + std::chrono::hours(1);

TEST(CommitSchedule, ALoneResultWaitsForNobody) {
  CommitSchedule schedule;
  EXPECT_TRUE(schedule.due(false, kStart));
}

TEST(CommitSchedule, MoreThatArrivesIsWaitedForSoLong) {
  CommitSchedule schedule;
  EXPECT_FALSE(schedule.due(true, kStart));
  EXPECT_FALSE(schedule.due(true, kStart + milliseconds(19)));
  EXPECT_TRUE(schedule.due(true, kStart + milliseconds(20)));
  schedule.on_begin();
  EXPECT_FALSE(schedule.due(true, kStart + milliseconds(30))) << "counts anew";
}

TEST(CommitSchedule, HoldsWhileThereIsNoSpace) {
  CommitSchedule schedule;
  EXPECT_FALSE(schedule.held(kStart));
  EXPECT_TRUE(schedule.hold("full", kStart));
  EXPECT_TRUE(schedule.held(kStart + milliseconds(499)));
  EXPECT_FALSE(schedule.held(kStart + milliseconds(500)));
  EXPECT_FALSE(schedule.hold("full", kStart + milliseconds(500))) << "people know";
  EXPECT_TRUE(schedule.hold("busy", kStart + milliseconds(500)));
  EXPECT_TRUE(schedule.release());
  EXPECT_FALSE(schedule.release());
}

}  // namespace
}  // namespace fantail
