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

class BusyHost : public testing::Test {
 protected:
  BusyHost() {
    for (JobId job = 0; job < 20; ++job)
      queues.add(job, "a");
    queues.add(20, "b");
  }
  // The next job of the host is asked for then, and answered so a moment later.
  void answer_next(std::optional<Duration> busy) {
    const auto job = queues.take(now);
    ASSERT_TRUE(job);
    queues.on_written(*job, "a", now);
    if (busy) queues.on_busy(*job, "a", *busy, now);
    queues.on_finished(*job, now);
  }

  HostQueues queues{{.per_host = 2}};
  Instant now = kStart;
};

TEST_F(BusyHost, IsLeftAloneForAsLongAsItAskedAndNoOtherIs) {
  answer_next(std::chrono::seconds(3));
  EXPECT_EQ(take_all_ready(queues, now + milliseconds(2999)), (Jobs{20}));
  EXPECT_EQ(queues.next_wake(), now + milliseconds(3000));
  EXPECT_EQ(take_all_ready(queues, now + milliseconds(3000)), (Jobs{1, 2}));
}

TEST_F(BusyHost, IsLeftAloneForLongerEachTimeUntilItAnswers) {
  take_all_ready(queues, now);
  queues.on_finished(0, now);
  queues.on_finished(1, now);
  for (const int expected_ms : {250, 500, 1000, 2000, 4000, 4000}) {
    answer_next(Duration{0});
    EXPECT_EQ(queues.next_wake(), now + milliseconds(expected_ms));
    now = queues.next_wake();
  }
  answer_next(std::nullopt);
  answer_next(Duration{0});
  EXPECT_EQ(queues.next_wake(), now + milliseconds(250));
}

TEST_F(BusyHost, ManyAnswersToWhatWasUnderWayArePartOfOnePause) {
  EXPECT_EQ(take_all_ready(queues, now), (Jobs{0, 20, 1}));
  for (const JobId job : {0u, 1u}) {
    queues.on_written(job, "a", now);
    queues.on_busy(job, "a", Duration{0}, now + milliseconds(job));
    queues.on_finished(job, now + milliseconds(job));
  }
  EXPECT_EQ(queues.next_wake(), now + milliseconds(250));
  queues.on_busy(0, "a", std::chrono::seconds(1), now + milliseconds(2));
  EXPECT_EQ(queues.next_wake(), now + milliseconds(1002)) << "what it asks for is kept";
  queues.on_busy(0, "a", milliseconds(10), now + milliseconds(3));
  EXPECT_EQ(queues.next_wake(), now + milliseconds(1002)) << "also where it asks for less later";
}

TEST_F(BusyHost, GivesNoPermitToJobsFromElsewhere) {
  answer_next(std::chrono::seconds(1));
  EXPECT_FALSE(queues.permit(30, "a", now + milliseconds(999)));
  EXPECT_TRUE(queues.on_wanted(31, "a", now));
  EXPECT_FALSE(queues.take_grant(now + milliseconds(999)));
  EXPECT_TRUE(queues.take_grant(now + milliseconds(1000)));
  queues.on_busy(31, "nobody", Duration{0}, now);
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
