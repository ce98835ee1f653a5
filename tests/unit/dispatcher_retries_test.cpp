// Attempts that failed for now: when their jobs are tried again, and on whom.
#include <gtest/gtest.h>

#include "tests/support/dispatch_scene.h"
#include "ventilator/retry_queue.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Backoff, IsAnyTimeUpToWhatDoublesEachTime) {
  const BackoffPolicy policy{seconds(1), seconds(30)};
  for (std::uint32_t attempt = 1; attempt < 80; ++attempt) {
    const Duration most = attempt < 6 ? Duration(seconds(1)) * (1 << (attempt - 1)) : Duration(seconds(30));
    Duration longest{0};
    Duration shortest = most;
    for (JobId job = 0; job < 500; ++job) {
      const Duration delay = backoff(policy, "run", job, attempt);
      EXPECT_EQ(delay, backoff(policy, "run", job, attempt));
      longest = std::max(longest, delay);
      shortest = std::min(shortest, delay);
    }
    EXPECT_LE(longest, most);
    EXPECT_GT(longest, most * 9 / 10);
    EXPECT_LT(shortest, most / 10);
  }
  EXPECT_EQ(backoff({Duration{0}, Duration{0}}, "run", 1, 1), Duration{0});
}

TEST(RetryQueue, GivesWhatIsDueInTheOrderOfTime) {
  const Instant now = Instant{} + std::chrono::hours(1);
  RetryQueue queue;
  EXPECT_EQ(queue.next_wake(), kNever);
  queue.add(7, now + seconds(2), "a");
  queue.add(3, now + seconds(1), "b");
  queue.add(3, now + seconds(3), "c");
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.next_wake(), now + seconds(2));
  EXPECT_TRUE(queue.due(now, 10).empty());
  const auto due = queue.due(now + seconds(3), 10);
  ASSERT_EQ(due.size(), 2u);
  EXPECT_EQ(due[0].job, 7u);
  EXPECT_EQ(due[1].failed_at, "c");
  EXPECT_EQ(queue.due(now + seconds(3), 1).size(), 1u);
  EXPECT_EQ(queue.take({0, 5}), (std::vector<JobId>{3}));
  EXPECT_EQ(queue.take_all().spans(), (Spans{{7, 8}}));
  EXPECT_EQ(queue.next_wake(), kNever);
}

class DispatcherRetries : public testing::Test {
 protected:
  explicit DispatcherRetries(Duration deadline = Duration{0}) : scene(policy(deadline)) {
    scene.open_sink();
    scene.answer();
    scene.sink_answers = true;
  }
  static DispatchPolicy policy(Duration deadline) {
    DispatchPolicy policy = DispatchScene::make_policy();
    policy.backoff = {milliseconds(400), milliseconds(400)};
    policy.deadline = deadline;
    return policy;
  }
  // The worker's attempt fails: it does not hold the job any more.
  void fail(const WorkerId& id, JobId job, std::uint32_t attempt = 1, std::uint64_t retry_after_us = 0) {
    scene.workers[id].active.erase(job);
    scene.dispatcher.on_worker(scene.from_worker(id,
                                                 [&](proto::WorkerToVentilator& message) {
                                                   proto::JobsFailed& failed = *message.mutable_failed();
                                                   failed.set_run_id(DispatchScene::make_spec().run_id());
                                                   proto::FailedAttempt& each = *failed.add_attempts();
                                                   each.set_job(job);
                                                   each.set_attempt(attempt);
                                                   each.set_code("timeout");
                                                   each.set_message("no answer");
                                                   each.set_retry_after_us(retry_after_us);
                                                 }),
                               scene.now, scene.out);
    scene.report(id, false);
  }
  DispatchScene scene;
};

class DispatcherRetriesByADeadline : public DispatcherRetries {
 protected:
  DispatcherRetriesByADeadline() : DispatcherRetries(seconds(5)) {}
};

TEST_F(DispatcherRetries, AFailedJobGoesToAnotherWorkerAfterItsBackoff) {
  scene.join("a", 1);
  scene.join("b", 1);
  scene.dispatcher.on_spooled(2, scene.now, scene.out);
  scene.deliver();
  ASSERT_TRUE(scene.workers["a"].active.contains(0));
  scene.finish("b");
  fail("a", 0);
  EXPECT_TRUE(scene.deliver().empty()) << "not before its time";
  EXPECT_EQ(scene.dispatcher.waiting_to_retry(), 1u);
  scene.advance(milliseconds(500), {"a", "b"});
  const auto batches = scene.out.batches.take_all();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].worker, "b");
  EXPECT_EQ(batches[0].jobs(), (std::vector<JobId>{0}));
  EXPECT_EQ(batches[0].batch.attempts, (std::vector<std::uint32_t>{2}));
}

TEST_F(DispatcherRetries, WithoutAnotherWorkerItGoesToTheSame) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(1, scene.now, scene.out);
  scene.deliver();
  fail("a", 0);
  scene.advance(milliseconds(600), {"a"});
  EXPECT_EQ(scene.deliver("a"), (std::vector<JobId>{0}));
}

TEST_F(DispatcherRetries, RetryAfterIsNotUndercut) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(1, scene.now, scene.out);
  scene.deliver();
  fail("a", 0, 1, 2'000'000);
  scene.advance(milliseconds(1900), {"a"});
  EXPECT_TRUE(scene.deliver().empty());
  scene.advance(milliseconds(300), {"a"});
  EXPECT_EQ(scene.deliver("a"), (std::vector<JobId>{0}));
}

TEST_F(DispatcherRetriesByADeadline, BeyondTheDeadlineAJobFailsAtOnceAndSaysSo) {
  scene.join("a", 2);
  scene.dispatcher.on_spooled(2, scene.now, scene.out);
  scene.deliver();
  fail("a", 0, 1, 6'000'000);
  const proto::FailedAttempt failed = scene.out.failed.take();
  EXPECT_EQ(failed.job(), 0u);
  EXPECT_EQ(failed.code(), "timeout");
  EXPECT_EQ(failed.message(), "no answer; another attempt would come after the run's deadline");
  scene.advance(milliseconds(1100), {"a"});
  EXPECT_EQ(scene.out.failed.take_all().size(), 1u) << "until the sink knows";
  scene.answer({{0, 1}});
  scene.sink_answers = false;
  scene.advance(milliseconds(1500), {"a"});
  EXPECT_TRUE(scene.out.failed.empty());
}

TEST_F(DispatcherRetries, WhoAsksForMoreThanAnHourIsNotAskedAgain) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(1, scene.now, scene.out);
  scene.deliver();
  fail("a", 0, 1, UINT64_MAX);
  EXPECT_EQ(scene.out.failed.take().message(),
            "no answer; another attempt is not wanted for more than an hour");
}

TEST_F(DispatcherRetries, OnlyTheAttemptThatIsUnderWayCounts) {
  scene.join("a", 1);
  scene.join("b", 1);
  scene.dispatcher.on_spooled(2, scene.now, scene.out);
  scene.deliver();
  fail("b", 0);
  EXPECT_EQ(scene.dispatcher.waiting_to_retry(), 0u) << "another worker's job";
  fail("a", 99);
  EXPECT_EQ(scene.dispatcher.dropped().forged, 1u);
  EXPECT_EQ(scene.dispatcher.dropped().late, 1u);
}

TEST_F(DispatcherRetries, AStoppedRunProposesWhatWaits) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(1, scene.now, scene.out);
  scene.deliver();
  fail("a", 0);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  EXPECT_EQ(scene.out.proposals.take().jobs, (Spans{{0, 1}}));
  EXPECT_EQ(scene.dispatcher.waiting_to_retry(), 0u);
}

}  // namespace
}  // namespace fantail
