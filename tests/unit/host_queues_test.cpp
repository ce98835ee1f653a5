#include "ventilator/host_queues.h"

#include <gtest/gtest.h>

#include "tests/support/job_ranges.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;

const Instant kStart = Instant{} + std::chrono::hours(1);

std::vector<JobId> take_all_ready(HostQueues& queues, Instant now) {
  std::vector<JobId> jobs;
  while (const auto job = queues.take(now))
    jobs.push_back(*job);
  return jobs;
}

using Jobs = std::vector<JobId>;

TEST(HostQueues, NoMoreInFlightThanTheLimit) {
  HostQueues queues({.per_host = 2});
  for (JobId job = 0; job < 5; ++job)
    queues.add(job, "a");
  EXPECT_EQ(take_all_ready(queues, kStart), (Jobs{0, 1}));
  EXPECT_EQ(queues.waiting(), 3u);
  EXPECT_EQ(queues.next_wake(), kNever) << "only an event can free the host";
  queues.on_finished(0, kStart);
  EXPECT_EQ(take_all_ready(queues, kStart), (Jobs{2}));
}

TEST(HostQueues, ABlockedHostBlocksNoOther) {
  HostQueues queues({.per_host = 1});
  for (JobId job = 0; job < 1000; ++job)
    queues.add(job, "slow");
  queues.add(1000, "fast");
  EXPECT_EQ(take_all_ready(queues, kStart), (Jobs{0, 1000}));
}

TEST(HostQueues, HostsTakeTurns) {
  HostQueues queues({.per_host = 10});
  for (JobId job = 0; job < 3; ++job)
    queues.add(job, "a");
  for (JobId job = 3; job < 6; ++job)
    queues.add(job, "b");
  EXPECT_EQ(take_all_ready(queues, kStart), (Jobs{0, 3, 1, 4, 2, 5}));
}

TEST(HostQueues, TheDelayCountsFromTheWrittenRequest) {
  HostQueues queues({.per_host = 0, .delay = milliseconds(100)});
  queues.add(0, "a");
  queues.add(1, "a");
  queues.add(2, "b");
  EXPECT_EQ(take_all_ready(queues, kStart), (Jobs{0, 2}));
  EXPECT_EQ(queues.take(kStart + milliseconds(5000)), std::nullopt) << "the first has not been written";
  const Instant written = kStart + milliseconds(6000);
  queues.on_written(0, "a", written);
  EXPECT_EQ(queues.next_wake(), written + milliseconds(100));
  EXPECT_EQ(queues.take(written + milliseconds(99)), std::nullopt);
  EXPECT_EQ(queues.take(written + milliseconds(100)), JobId{1});
}

TEST(HostQueues, AJobThatEndsUnwrittenStillCostsADelay) {
  HostQueues queues({.per_host = 0, .delay = milliseconds(100)});
  queues.add(0, "a");
  queues.add(1, "a");
  ASSERT_EQ(queues.take(kStart), JobId{0});
  queues.on_finished(0, kStart + milliseconds(30));
  EXPECT_EQ(queues.take(kStart + milliseconds(129)), std::nullopt);
  EXPECT_EQ(queues.take(kStart + milliseconds(130)), JobId{1});
}

TEST(HostQueues, WrittenCountsOnceAndOnlyForTheHostThatTheJobHolds) {
  HostQueues queues({.per_host = 0, .delay = milliseconds(100)});
  queues.add(0, "a");
  queues.add(1, "a");
  ASSERT_EQ(queues.take(kStart), JobId{0});
  queues.on_written(0, "b", kStart);
  queues.on_written(77, "a", kStart);
  EXPECT_EQ(queues.take(kStart + milliseconds(500)), std::nullopt);
  queues.on_written(0, "a", kStart);
  queues.on_written(0, "a", kStart + milliseconds(90));
  EXPECT_EQ(queues.take(kStart + milliseconds(100)), JobId{1});
}

TEST(HostQueues, ARedirectGivesUpItsHostAndWaitsForTheNext) {
  HostQueues queues({.per_host = 1});
  queues.add(0, "a");
  queues.add(1, "a");
  queues.add(2, "b");
  ASSERT_EQ(take_all_ready(queues, kStart), (Jobs{0, 2}));
  queues.on_wanted(0, "b", kStart);
  EXPECT_EQ(queues.take(kStart), JobId{1}) << "the permit for a came back";
  EXPECT_FALSE(queues.take_grant(kStart));
  queues.on_finished(2, kStart);
  const auto grant = queues.take_grant(kStart);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->job, 0u);
  EXPECT_EQ(grant->host, "b");
  EXPECT_FALSE(queues.take_grant(kStart));
}

TEST(HostQueues, RedirectedJobsGoBeforeNewOnes) {
  HostQueues queues({.per_host = 1});
  queues.add(0, "a");
  queues.add(1, "b");
  queues.add(2, "b");
  ASSERT_EQ(take_all_ready(queues, kStart), (Jobs{0, 1}));
  queues.on_wanted(0, "b", kStart);
  queues.on_finished(1, kStart);
  EXPECT_EQ(queues.take(kStart), std::nullopt);
  EXPECT_EQ(queues.take_grant(kStart)->job, 0u);
  queues.on_finished(0, kStart);
  EXPECT_EQ(queues.take(kStart), JobId{2});
}

TEST(HostQueues, AGrantedRequestDelaysItsHostToo) {
  HostQueues queues({.per_host = 0, .delay = milliseconds(100)});
  queues.add(0, "a");
  queues.add(1, "b");
  ASSERT_EQ(queues.take(kStart), JobId{0});
  queues.on_written(0, "a", kStart);
  queues.on_wanted(0, "b", kStart);
  ASSERT_TRUE(queues.take_grant(kStart));
  EXPECT_EQ(queues.take(kStart + milliseconds(500)), std::nullopt);
  queues.on_written(0, "b", kStart + milliseconds(500));
  EXPECT_EQ(queues.take(kStart + milliseconds(600)), JobId{1});
}

TEST(HostQueues, AJobThatEndsWhileItWantsAHostWantsItNoMore) {
  HostQueues queues({.per_host = 1});
  queues.add(0, "a");
  queues.add(1, "b");
  ASSERT_EQ(take_all_ready(queues, kStart), (Jobs{0, 1}));
  queues.on_wanted(0, "b", kStart);
  queues.on_finished(0, kStart);
  queues.on_finished(1, kStart);
  EXPECT_FALSE(queues.take_grant(kStart));
  queues.add(2, "b");
  EXPECT_EQ(queues.take(kStart), JobId{2}) << "no permit leaked";
}

TEST(HostQueues, ARequeuedJobFreesItsPermitAndGoesFirst) {
  HostQueues queues({.per_host = 1});
  for (JobId job = 0; job < 3; ++job)
    queues.add(job, "a");
  ASSERT_EQ(queues.take(kStart), JobId{0});
  queues.requeue(0, "a", kStart);
  EXPECT_EQ(queues.waiting(), 3u);
  EXPECT_EQ(queues.take(kStart), JobId{0});
}

TEST(HostQueues, AnAdoptedJobHoldsAPermitBeyondTheLimit) {
  HostQueues queues({.per_host = 1});
  for (JobId job = 0; job < 4; ++job)
    queues.add(job, "a");
  EXPECT_TRUE(queues.adopt(2, "a"));
  EXPECT_TRUE(queues.adopt(1, "a"));
  EXPECT_EQ(queues.waiting(), 2u);
  queues.on_finished(2, kStart);
  EXPECT_EQ(queues.take(kStart), std::nullopt) << "job 1 is still there";
  queues.on_finished(1, kStart);
  EXPECT_EQ(queues.take(kStart), JobId{0});
  EXPECT_FALSE(queues.adopt(0, "a")) << "it does not wait";
  EXPECT_FALSE(queues.adopt(3, "elsewhere"));
}

TEST(HostQueues, UnknownJobsAreIgnored) {
  HostQueues queues({.per_host = 1});
  queues.add(0, "a");
  queues.on_finished(99, kStart);
  queues.on_finished(0, kStart) /* it waits and holds nothing */;
  EXPECT_EQ(queues.take(kStart), JobId{0});
  queues.on_finished(0, kStart);
  queues.on_finished(0, kStart);
  queues.add(1, "a");
  queues.add(2, "a");
  EXPECT_EQ(take_all_ready(queues, kStart), (Jobs{1})) << "the limit still holds";
}

TEST(HostQueues, TakingAllLeavesWhatIsInFlight) {
  HostQueues queues({.per_host = 1});
  for (JobId job = 0; job < 4; ++job)
    queues.add(job, job % 2 == 0 ? "a" : "b");
  ASSERT_EQ(take_all_ready(queues, kStart), (Jobs{0, 1}));
  EXPECT_EQ(queues.take_all().spans(), (Spans{{2, 4}}));
  EXPECT_EQ(queues.waiting(), 0u);
  EXPECT_TRUE(queues.take_all().empty());
  EXPECT_EQ(queues.next_wake(), kNever);
}

TEST(HostQueues, CopiesHashEqualUntilSomethingHappens) {
  HostQueues queues({.per_host = 1});
  queues.add(0, "a");
  HostQueues copy = queues;
  const auto hash_of = [](const HostQueues& each) {
    StateHash hash;
    each.hash(hash);
    return hash.value();
  };
  EXPECT_EQ(hash_of(queues), hash_of(copy));
  copy.take(kStart);
  EXPECT_NE(hash_of(queues), hash_of(copy));
  queues.take(kStart);
  EXPECT_EQ(hash_of(queues), hash_of(copy));
}

}  // namespace
}  // namespace fantail
