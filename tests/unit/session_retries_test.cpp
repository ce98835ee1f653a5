// Which failures a worker gives back to be tried again, and which are outcomes.
#include <gtest/gtest.h>

#include "tests/support/session_scene.h"

namespace fantail {
namespace {

class SessionRetries : public testing::Test {
 protected:
  void SetUp() override {
    scene.set_up(3);
    scene.send_lane(SessionScene::lane_of(2, 0, 4));
    scene.forget();
  }
  static Completion failure(JobId job, const char* code, std::uint32_t attempt) {
    JobResult result = JobResult::failed(code, "why");
    result.retry_after = std::chrono::seconds(2);
    Completion completion = SessionScene::completion_of(job, std::move(result));
    completion.attempt = attempt;
    return completion;
  }
  std::vector<proto::FailedAttempt> given_back() {
    std::vector<proto::FailedAttempt> attempts;
    for (const proto::WorkerToVentilator& message : scene.out.to_ventilator.take_all()) {
      attempts.insert(attempts.end(), message.failed().attempts().begin(), message.failed().attempts().end());
      if (message.has_status()) unfinished = message.status().unfinished();
    }
    return attempts;
  }
  SessionScene scene;
  std::uint64_t unfinished = 0;
};

TEST_F(SessionRetries, WhatMayPassGoesBackToTheVentilator) {
  scene.complete({SessionScene::completion_of(0), failure(1, "timeout", 2)});
  const auto attempts = given_back();
  ASSERT_EQ(attempts.size(), 1u);
  EXPECT_EQ(attempts[0].job(), 1u);
  EXPECT_EQ(attempts[0].attempt(), 2u);
  EXPECT_EQ(attempts[0].code(), "timeout");
  EXPECT_EQ(attempts[0].message(), "why");
  EXPECT_EQ(attempts[0].retry_after_us(), 2'000'000u);
  EXPECT_EQ(attempts[0].duration_us(), 400u);
  EXPECT_EQ(unfinished, 2u);
  const proto::Results results = scene.out.results.take();
  EXPECT_EQ(results.count(), 1u);
  EXPECT_EQ(results.first_job(), 0u);
}

TEST_F(SessionRetries, TheLastAttemptIsAnOutcome) {
  scene.complete({failure(1, "timeout", 3)});
  EXPECT_TRUE(given_back().empty());
  EXPECT_EQ(scene.out.results.take().failures(0).code(), "timeout");
}

TEST_F(SessionRetries, SoIsAFailureThatDoesNotPass) {
  scene.complete({failure(1, "not_found", 1)});
  EXPECT_TRUE(given_back().empty());
  EXPECT_EQ(scene.out.results.take().failures(0).code(), "not_found");
}

TEST_F(SessionRetries, AndAnyFailureOfARunThatIsBeingStopped) {
  scene.pong(proto::STOP_QUEUED);
  scene.forget();
  scene.complete({failure(1, "timeout", 1)});
  EXPECT_TRUE(given_back().empty());
  EXPECT_EQ(scene.out.results.size(), 1u);
}

TEST_F(SessionRetries, WithoutItsVentilatorAWorkerJustDoesNotHoldTheJob) {
  scene.say_unknown();
  scene.forget();
  scene.complete({failure(1, "timeout", 1)});
  EXPECT_TRUE(given_back().empty());
  EXPECT_TRUE(scene.out.results.empty());
  scene.welcome();
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{0, 1}, {2, 4}}));
}

}  // namespace
}  // namespace fantail
