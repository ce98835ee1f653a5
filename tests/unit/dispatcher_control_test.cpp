// What people ask of a run that is under way.
#include <gtest/gtest.h>

#include "tests/support/dispatch_scene.h"

namespace fantail {
namespace {

using Action = proto::RunControl;

class DispatcherControl : public testing::Test {
 protected:
  void SetUp() override {
    scene.open_sink();
    scene.answer();
    scene.sink_answers = true;
    scene.join("a", 1);
    scene.dispatcher.on_spooled(100, scene.now, scene.out);
    scene.deliver();
    scene.out.to_worker.clear();
  }
  std::string ask(proto::RunControl::Action action,
                  const std::string& run = DispatchScene::make_spec().run_id(),
                  std::vector<JobSpan> jobs = {}) {
    proto::RunControl control;
    put_ranges(jobs, control.mutable_jobs());
    control.set_run_id(run);
    control.set_action(action);
    scene.dispatcher.on_control("client", control, scene.now, scene.out);
    std::string refusal = "no answer";
    for (const auto& sent : scene.out.to_worker.take_all()) {
      if (sent.worker == "client") refusal = sent.message.answer().refusal();
      if (sent.worker == "client") not_ended = sent.message.answer().not_ended();
      if (sent.worker == "a") pong = sent.message.pong();
    }
    return refusal;
  }
  DispatchScene scene;
  proto::VentilatorPong pong;
  std::uint64_t not_ended = 0;
};

TEST_F(DispatcherControl, APausedRunStartsNothingUntilItIsUnpaused) {
  EXPECT_EQ(ask(Action::PAUSE), "");
  EXPECT_TRUE(pong.paused());
  scene.finish("a");
  scene.advance(std::chrono::seconds(2), {"a"});
  EXPECT_TRUE(scene.deliver().empty());
  EXPECT_EQ(ask(Action::PAUSE), "") << "once more is no error";
  EXPECT_EQ(ask(Action::UNPAUSE), "");
  EXPECT_FALSE(pong.paused());
  EXPECT_FALSE(scene.deliver("a").empty());
}

TEST_F(DispatcherControl, ACancelledRunIsStopped) {
  EXPECT_EQ(ask(Action::CANCEL), "");
  EXPECT_EQ(pong.stop_level(), proto::STOP_RUNNING);
  EXPECT_EQ(scene.out.proposals.take().verdict, Verdict::kCancelled);
  scene.sink_answers = false;
  scene.advance(std::chrono::milliseconds(10));
  EXPECT_EQ(scene.sync().facts().end(), proto::RUN_END_CANCELLED);
}

TEST_F(DispatcherControl, SingleJobsAreCancelledWhereverTheyAre) {
  const std::string run = DispatchScene::make_spec().run_id();
  // One job is at the worker, and one at hand; the others wait.
  EXPECT_EQ(ask(Action::CANCEL, run, {{0, 1}, {50, 52}}), "");
  EXPECT_EQ(not_ended, 3u);
  ASSERT_EQ(pong.cancelled_size(), 1);
  EXPECT_EQ(pong.cancelled(0).first(), 0u);
  const auto proposal = scene.out.proposals.take();
  EXPECT_EQ(proposal.jobs, (std::vector<JobSpan>{{50, 52}}));
  EXPECT_EQ(proposal.verdict, Verdict::kUnwanted);
  EXPECT_FALSE(scene.dispatcher.stopped());
  EXPECT_EQ(ask(Action::CANCEL, run, {{1000, 1001}}), "it has no such job");
  // Each heartbeat of the holder is told again, and what nobody knows as done is proposed again.
  scene.advance(std::chrono::seconds(2), {"a"});
  EXPECT_EQ(ask(Action::CANCEL, run, {{0, 1}, {50, 52}}), "");
  EXPECT_EQ(pong.cancelled(0).first(), 0u);
  EXPECT_FALSE(scene.out.proposals.empty());
}

TEST_F(DispatcherControl, OtherRunsAndUnknownCommandsAreRefused) {
  EXPECT_EQ(ask(Action::CANCEL, "another run"), "the ventilator works on another run");
  EXPECT_EQ(ask(Action::ACTION_UNSPECIFIED),
            "the ventilator does not know this command: install the same release on both");
  EXPECT_FALSE(scene.dispatcher.stopped());
}

}  // namespace
}  // namespace fantail
