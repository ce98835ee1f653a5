// Jobs of which others have a copy: which failures are told to whom, and how a loser ends.
#include <gtest/gtest.h>

#include "tests/support/session_scene.h"

namespace fantail {
namespace {

class SessionHedge : public testing::Test {
 protected:
  void SetUp() override {
    scene.tick();
    scene.welcome();
    scene.sink_welcome();
    proto::Lane lane;
    lane.set_run_id(SessionScene::kRun);
    lane.set_epoch(SessionScene::kEpoch);
    lane.set_sequence(1);
    lane.mutable_spec()->set_run_id(SessionScene::kRun);
    lane.mutable_spec()->mutable_kind()->mutable_echo();
    lane.mutable_spec()->mutable_policy()->mutable_hedge();
    scene.send_lane(std::move(lane));
    scene.durable({1});
    scene.send_lane(SessionScene::lane_of(2, 0, 3));
    proto::Lane copy = SessionScene::lane_of(3, 7, 1);
    copy.set_copy(true);
    scene.send_lane(std::move(copy));
    scene.forget();
  }
  void discard(const Spans& jobs) {
    scene.from_ventilator([&](proto::VentilatorToWorker& message) {
      message.mutable_pong()->set_run_id(SessionScene::kRun);
      put_ranges(jobs, message.mutable_pong()->mutable_discarded());
    });
  }
  std::vector<proto::FailedAttempt> given_back() {
    std::vector<proto::FailedAttempt> attempts;
    for (const proto::WorkerToVentilator& message : scene.out.to_ventilator.take_all())
      attempts.insert(attempts.end(), message.failed().attempts().begin(), message.failed().attempts().end());
    return attempts;
  }
  SessionScene scene;
};

TEST_F(SessionHedge, EveryFailureGoesToTheVentilator) {
  JobResult result = JobResult::failed("not_found", "why", "what it found");
  scene.complete({SessionScene::completion_of(0), SessionScene::completion_of(1, std::move(result))});
  const auto attempts = given_back();
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].job(), 1u);
  EXPECT_EQ(attempts[0].code(), "not_found");
  EXPECT_FALSE(attempts[0].passing());
  EXPECT_EQ(attempts[0].payload(), "what it found");
  EXPECT_EQ(attempts[0].queued_us(), 30u);
  EXPECT_EQ(attempts[0].duration_us(), 400u);
  const proto::Results results = scene.out.results.take();
  EXPECT_EQ(results.count(), 1u);
  EXPECT_EQ(results.first_job(), 0u);
  EXPECT_TRUE(scene.out.results.empty());
}

TEST_F(SessionHedge, AlsoThoseOfARunThatIsBeingStopped) {
  scene.pong(proto::STOP_RUNNING);
  scene.forget();
  scene.complete({SessionScene::completion_of(0, JobResult::failed("timeout", "why")),
                  SessionScene::completion_of(1, JobResult::stopped(StopReason::kCancelled))});
  EXPECT_EQ(given_back().size(), 1u);
  EXPECT_EQ(scene.out.results.take().statuses(0), proto::STATUS_CANCELLED);
}

TEST_F(SessionHedge, ResultsSayWhichJobsCameAsCopies) {
  scene.complete({SessionScene::completion_of(7), SessionScene::completion_of(0)});
  EXPECT_EQ(get_ranges(scene.out.results.take().copies()), (Spans{{7, 8}}));
  scene.complete({SessionScene::completion_of(1)});
  EXPECT_TRUE(scene.out.results.take().copies().empty());
}

TEST_F(SessionHedge, ARunningLoserIsStoppedAndTellsNobodyHowItEnded) {
  discard({{1, 2}, {40, 50}});
  EXPECT_EQ(scene.out.cancels.take(), (Spans{{1, 2}}));
  EXPECT_TRUE(scene.out.to_ventilator.empty()) << "its slot is not free yet";
  scene.complete({SessionScene::completion_of(1, JobResult::stopped(StopReason::kCancelled))});
  EXPECT_TRUE(scene.out.results.empty());
  const proto::WorkerStatus status = scene.last_status();
  EXPECT_TRUE(status.complete());
  EXPECT_EQ(get_ranges(status.holding()), (Spans{{0, 1}, {2, 3}, {7, 8}}));
  EXPECT_EQ(status.unfinished(), 3u);
}

TEST_F(SessionHedge, NorDoesOneThatEndedMeanwhile) {
  discard({{0, 2}});
  scene.complete({SessionScene::completion_of(0),
                  SessionScene::completion_of(1, JobResult::failed("exit", "7")),
                  SessionScene::completion_of(2)});
  EXPECT_TRUE(given_back().empty());
  EXPECT_EQ(scene.out.results.take().first_job(), 2u);
}

TEST_F(SessionHedge, ALoserThatNoSlotHasStartedIsJustNotHeld) {
  scene.out.queued = {2};
  discard({{2, 3}});
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{0, 2}, {7, 8}}));
}

TEST_F(SessionHedge, WhatWasDiscardedMayComeAgain) {
  scene.out.queued = {2};
  discard({{2, 3}});
  scene.send_lane(SessionScene::lane_of(4, 2, 1));
  scene.forget();
  scene.complete({SessionScene::completion_of(2)});
  EXPECT_EQ(scene.out.results.take().first_job(), 2u);
}

TEST_F(SessionHedge, AResultThatTheSinkHasNotConfirmedIsKept) {
  scene.complete({SessionScene::completion_of(0)});
  scene.forget();
  discard({{0, 1}});
  scene.out.expect_empty();
  scene.advance(std::chrono::seconds(1));
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{0, 3}, {7, 8}}));
}

}  // namespace
}  // namespace fantail
