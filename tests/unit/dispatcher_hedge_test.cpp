// Second copies: who gets one, and what comes of a job that two workers have.
#include <gtest/gtest.h>

#include "tests/support/dispatch_scene.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Jobs = std::vector<JobId>;

class DispatcherHedge : public testing::Test {
 protected:
  static proto::RunSpec hedged_spec() {
    proto::RunSpec spec = DispatchScene::make_spec();
    spec.mutable_policy()->set_attempts(2);
    spec.mutable_policy()->mutable_hedge()->set_limit_percent(50);
    return spec;
  }
  explicit DispatcherHedge(FormerLife former = {})
      : scene(DispatchScene::make_policy(), std::move(former), hedged_spec()) {
    scene.also.set_p95_us(1'000'000);
    scene.also.set_work_us(1'000'000'000);
    scene.open_sink();
    scene.answer();
    scene.sink_answers = true;
  }
  // Job 0 runs at "a", and "b" is idle.
  void begin() {
    scene.join("a", 1);
    scene.dispatcher.on_spooled(1, scene.now, scene.out);
    ASSERT_EQ(scene.deliver("a"), (Jobs{0}));
    scene.join("b", 1);
  }
  // And then at "b", too.
  void copy() {
    begin();
    scene.advance(milliseconds(1200), {"a", "b"});
    ASSERT_EQ(scene.deliver("b"), (Jobs{0}));
    scene.out.to_worker.clear();
  }
  void fail(const WorkerId& id, const std::string& code, bool passing, std::uint32_t attempt = 1) {
    scene.workers[id].active.erase(0);
    scene.dispatcher.on_worker(scene.from_worker(id,
                                                 [&](proto::WorkerToVentilator& message) {
                                                   proto::JobsFailed& failed = *message.mutable_failed();
                                                   failed.set_run_id(DispatchScene::make_spec().run_id());
                                                   proto::FailedAttempt& each = *failed.add_attempts();
                                                   each.set_attempt(attempt);
                                                   each.set_code(code);
                                                   each.set_passing(passing);
                                                   each.set_payload("what it found");
                                                   each.set_duration_us(700'000);
                                                 }),
                               scene.now, scene.out);
    scene.report(id, false);
  }
  // What the worker was told last to discard.
  Spans discarded(const WorkerId& id) {
    Spans spans;
    for (const auto& told : scene.out.to_worker.take_all()) {
      if (told.worker == id) spans = get_ranges(told.message.pong().discarded());
    }
    return spans;
  }
  const proto::Hedged& facts() {
    scene.advance(milliseconds(100), {"a", "b"});
    return scene.sync().facts().hedged();
  }
  DispatchScene scene;
};

TEST_F(DispatcherHedge, AStragglerGetsACopyOnAnIdleWorker) {
  begin();
  scene.advance(milliseconds(900), {"a", "b"});
  EXPECT_TRUE(scene.out.batches.empty()) << "it is not late yet";
  scene.advance(milliseconds(300), {"a", "b"});
  const auto batches = scene.out.batches.take_all();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].worker, "b");
  EXPECT_EQ(batches[0].jobs(), (Jobs{0}));
  EXPECT_TRUE(batches[0].batch.copy);
  EXPECT_TRUE(batches[0].batch.attempts.empty()) << "it is the same attempt";
  EXPECT_EQ(batches[0].batch.sequence, 2u);
}

TEST_F(DispatcherHedge, AndNoOtherOne) {
  copy();
  scene.join("c", 1);
  scene.advance(seconds(5), {"a", "b", "c"});
  EXPECT_TRUE(scene.out.batches.empty());
}

TEST_F(DispatcherHedge, NeverTheWorkerThatHasIt) {
  scene.join("a", 2);
  scene.dispatcher.on_spooled(1, scene.now, scene.out);
  scene.deliver();
  scene.advance(seconds(3), {"a"});
  EXPECT_TRUE(scene.out.batches.empty());
}

TEST_F(DispatcherHedge, NobodyIsHedgedBeforeItIsKnownWhatIsLate) {
  scene.also.clear_p95_us();
  DispatchScene fresh(DispatchScene::make_policy(), {}, hedged_spec());
  fresh.open_sink();
  fresh.answer();
  fresh.sink_answers = true;
  fresh.join("a", 1);
  fresh.dispatcher.on_spooled(1, fresh.now, fresh.out);
  fresh.deliver();
  fresh.join("b", 1);
  fresh.advance(seconds(5), {"a", "b"});
  EXPECT_TRUE(fresh.out.batches.empty());
}

TEST_F(DispatcherHedge, FirstAttemptsGoFirst) {
  begin();
  scene.dispatcher.on_spooled(2, scene.now, scene.out);
  EXPECT_EQ(scene.deliver("b"), (Jobs{1}));
  scene.advance(seconds(2), {"a", "b"});
  EXPECT_TRUE(scene.out.batches.empty()) << "no slot is free, and a job waits";
  scene.finish("b");
  EXPECT_EQ(scene.deliver("b"), (Jobs{2}));
}

TEST_F(DispatcherHedge, APausedOrStoppedRunIsNotHedged) {
  begin();
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  scene.advance(seconds(3), {"a", "b"});
  EXPECT_TRUE(scene.out.batches.empty());
}

TEST_F(DispatcherHedge, LongJobsAreNotGivenAhead) {
  scene.join("a", 2);
  scene.dispatcher.on_spooled(5, scene.now, scene.out);
  EXPECT_EQ(scene.deliver("a"), (Jobs{0, 1}));
  scene.workers["a"].mean_job_ns = 100'000;
  scene.finish("a");
  EXPECT_GT(scene.deliver("a").size(), 1u) << "short ones are";
}

TEST_F(DispatcherHedge, AWorkerThatIsMuchSlowerIsNoHelp) {
  begin();
  scene.workers["a"].mean_job_ns = 1'000'000'000;
  scene.workers["b"].mean_job_ns = 5'000'000'000;
  scene.report("a", false);
  scene.report("b", false);
  scene.advance(seconds(2), {"a", "b"});
  EXPECT_TRUE(scene.out.batches.empty());
  scene.join("c", 1);
  scene.workers["c"].mean_job_ns = 1'500'000'000;
  scene.advance(milliseconds(300), {"a", "b", "c"});
  EXPECT_EQ(scene.deliver("c"), (Jobs{0}));
}

TEST_F(DispatcherHedge, TheFirstResultWinsAndTheOthersAreToldUntilTheyHaveStopped) {
  copy();
  scene.finish("b");
  scene.out.to_worker.clear();
  put_ranges({{0, 1}}, scene.also.mutable_by_copies());
  scene.answer({{0, 1}});
  EXPECT_EQ(discarded("a"), (Spans{{0, 1}}));
  scene.report("a");
  EXPECT_EQ(discarded("a"), (Spans{{0, 1}})) << "it still holds it";
  scene.workers["a"].active.clear();
  scene.report("a");
  EXPECT_TRUE(discarded("a").empty());
  EXPECT_EQ(scene.dispatcher.pending(), 0u);
  EXPECT_EQ(facts().copies(), 1u);
  EXPECT_EQ(facts().won(), 1u);
  EXPECT_GT(facts().lost_us(), facts().extra_us());
}

TEST_F(DispatcherHedge, ACopyThatFailsDecidesNothing) {
  copy();
  fail("b", "exit", true);
  scene.advance(seconds(2), {"a", "b"});
  EXPECT_TRUE(scene.out.failed.empty());
  EXPECT_TRUE(scene.out.batches.empty());
  EXPECT_EQ(scene.dispatcher.waiting_to_retry(), 0u);
  EXPECT_EQ(facts().lost_us(), 700'000u);
}

TEST_F(DispatcherHedge, WhenTheFirstOneFailsTheCopyGoesOn) {
  copy();
  fail("a", "not_found", false);
  EXPECT_TRUE(scene.out.failed.empty());
  scene.advance(seconds(2), {"a", "b"});
  EXPECT_TRUE(scene.out.batches.empty()) << "an attempt has one copy, no more";
  fail("b", "not_found", false);
  const proto::FailedAttempt failed = scene.out.failed.take();
  EXPECT_EQ(failed.code(), "not_found");
  EXPECT_EQ(failed.payload(), "what it found");
  EXPECT_EQ(failed.worker_id(), "b");
}

TEST_F(DispatcherHedge, WhatMayPassIsTriedAgainOnceBothHaveFailed) {
  copy();
  fail("b", "timeout", true);
  EXPECT_EQ(scene.dispatcher.waiting_to_retry(), 0u);
  fail("a", "timeout", true);
  EXPECT_EQ(scene.dispatcher.waiting_to_retry(), 1u);
  scene.advance(seconds(2), {"a", "b"});
  const auto batches = scene.out.batches.take_all();
  ASSERT_EQ(batches.size(), 2u) << "and the second attempt may have a copy of its own";
  EXPECT_EQ(batches[0].batch.attempts, (std::vector<std::uint32_t>{2}));
  EXPECT_FALSE(batches[0].batch.copy);
  EXPECT_TRUE(batches[1].batch.copy);
  EXPECT_EQ(batches[1].batch.attempts, (std::vector<std::uint32_t>{2}));
}

TEST_F(DispatcherHedge, TheLastAttemptIsTheOutcome) {
  begin();
  fail("a", "timeout", true, 2);
  EXPECT_TRUE(scene.out.failed.empty()) << "it is at the first";
  EXPECT_EQ(scene.dispatcher.dropped().late, 1u);
  fail("a", "timeout", true, 1);
  scene.advance(seconds(1), {"a", "b"});
  const auto batches = scene.deliver();
  ASSERT_EQ(batches.size(), 1u);
  fail(batches[0].worker, "timeout", true, 2);
  EXPECT_EQ(scene.out.failed.take().attempt(), 2u);
}

TEST_F(DispatcherHedge, AWorkerThatDiesLeavesTheOtherOne) {
  copy();
  scene.advance(milliseconds(3500), {"b"});
  EXPECT_EQ(scene.out.deaths.take().jobs, (Spans{{0, 1}})) << "the death counts";
  EXPECT_TRUE(scene.out.batches.empty());
  EXPECT_EQ(scene.dispatcher.pending(), 0u);
  scene.join("c", 1);
  scene.advance(milliseconds(3500), {"c"});
  EXPECT_EQ(scene.out.deaths.take().jobs, (Spans{{0, 1}}));
  EXPECT_EQ(scene.deliver("c"), (Jobs{0})) << "nobody else has it";
}

TEST_F(DispatcherHedge, WhatTheFirstOneDoesNotHoldAnyMoreIsTheCopys) {
  copy();
  scene.workers["a"].active.clear();
  scene.report("a");
  scene.advance(milliseconds(300), {"a", "b"});
  EXPECT_TRUE(scene.out.batches.empty());
  scene.workers["b"].active.clear();
  scene.report("b");
  scene.advance(milliseconds(300), {"a", "b"});
  EXPECT_EQ(scene.out.batches.size(), 1u) << "lost by both";
}

TEST_F(DispatcherHedge, ACancelledJobIsDiscardedByTheCopyAndCancelledByTheFirst) {
  copy();
  proto::RunControl control;
  control.set_run_id(DispatchScene::make_spec().run_id());
  control.set_action(proto::RunControl::CANCEL);
  put_ranges({{0, 1}}, control.mutable_jobs());
  scene.dispatcher.on_control("people-012345678", control, scene.now, scene.out);
  std::map<WorkerId, proto::VentilatorPong> pongs;
  for (const auto& told : scene.out.to_worker.take_all())
    pongs[told.worker] = told.message.pong();
  EXPECT_EQ(get_ranges(pongs["a"].cancelled()), (Spans{{0, 1}}));
  EXPECT_EQ(get_ranges(pongs["b"].discarded()), (Spans{{0, 1}}));
  EXPECT_TRUE(pongs["b"].cancelled().empty());
}

TEST_F(DispatcherHedge, ARunThatStopsWhatRunsTakesItsCopiesBack) {
  copy();
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_RUNNING);
  EXPECT_EQ(discarded("b"), (Spans{{0, 1}}));
}

TEST_F(DispatcherHedge, ACopyThatBecomesTooExpensiveIsTakenBack) {
  scene.join("a", 2);
  scene.dispatcher.on_spooled(2, scene.now, scene.out);
  scene.deliver();
  scene.join("b", 2);
  scene.advance(milliseconds(1200), {"a", "b"});
  EXPECT_EQ(scene.deliver("b"), (Jobs{0, 1}));
  scene.also.set_work_us(4'000'000);
  scene.advance(milliseconds(1500), {"a", "b"});
  EXPECT_EQ(discarded("b"), (Spans{{0, 2}}));
  EXPECT_LE(facts().extra_us(), 4'000'000u);
}

class DispatcherHedgeAfterARestart : public DispatcherHedge {
 protected:
  DispatcherHedgeAfterARestart() : DispatcherHedge({1, {}, {}}) {}
};

TEST_F(DispatcherHedgeAfterARestart, BothOfTwoWorkersKeepTheJob) {
  scene.dispatcher.on_spooled(1, scene.now, scene.out);
  for (const WorkerId id : {"a", "b", "c"}) {
    scene.say_hello(id, 1, {{0, 1}});
    scene.workers[id].active.insert(0);
    scene.dispatcher.on_lane_open(id, scene.now, scene.out);
  }
  scene.advance(milliseconds(300), {"a", "b", "c"});
  EXPECT_EQ(discarded("c"), (Spans{{0, 1}})) << "a third one is not wanted";
  scene.answer({{0, 1}});
  EXPECT_EQ(discarded("a"), (Spans{{0, 1}}));
  scene.report("b");
  EXPECT_EQ(discarded("b"), (Spans{{0, 1}}));
  EXPECT_EQ(scene.dispatcher.pending(), 0u);
}

}  // namespace
}  // namespace fantail
