// What a lane's connection tells of its worker.
#include <gtest/gtest.h>

#include "tests/support/dispatch_scene.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using Jobs = std::vector<JobId>;

class DispatcherLanesTest : public testing::Test {
 protected:
  void SetUp() override {
    scene.open_sink();
    scene.answer();
    scene.sink_answers = true;
    scene.join("a", 1);
    scene.join("b", 1);
    scene.dispatcher.on_spooled(4, scene.now, out);
    scene.deliver();  // a: 0 and 2, b: 1 and 3
  }

  void drop(const WorkerId& id) { scene.dispatcher.on_lane_dropped(id, scene.now); }
  void connect(const WorkerId& id) { scene.dispatcher.on_lane_connected(id, scene.now, out); }

  DispatchScene scene;
  RecordingDispatchOutbox& out = scene.out;
};

TEST_F(DispatcherLanesTest, ADroppedLaneIsADeathAfterOneHeartbeat) {
  drop("a");
  scene.advance(milliseconds(1000), {"b"});
  EXPECT_TRUE(out.closed.empty());
  scene.finish("b", 2);
  scene.answer({{1, 2}, {3, 4}});
  scene.advance(milliseconds(200), {"b"});
  EXPECT_EQ(out.closed.take(), "a");
  const auto batches = out.batches.take_all();
  EXPECT_EQ(DispatchScene::jobs_for("b", batches), (Jobs{0, 2}));
  EXPECT_EQ(batches.front().batch.attempts.front(), 2u);
}

TEST_F(DispatcherLanesTest, TheDispatcherWakesForTheDeath) {
  scene.advance(milliseconds(500), {"a", "b"});
  drop("a");
  const Instant due = scene.now + DispatchScene::kBeat + Duration{1};
  scene.advance(milliseconds(950), {"b"});
  EXPECT_EQ(scene.dispatcher.on_tick(scene.now, out), due);
  EXPECT_TRUE(out.closed.empty());
  scene.now = due;
  scene.tick();
  EXPECT_EQ(out.closed.take(), "a");
}

// So many are not looked at in every turn, but soon enough.
TEST_F(DispatcherLanesTest, OneOfManyWorkersThatDropsIsNoticedAsSoon) {
  std::vector<WorkerId> others = {"b"};
  for (int index = 0; index < 100; ++index) {
    others.push_back("other " + std::to_string(index));
    scene.join(others.back(), 1);
  }
  scene.advance(milliseconds(100), others);
  scene.tick();
  drop("a");
  const Instant dropped = scene.now;
  EXPECT_LE(scene.dispatcher.on_tick(scene.now, out), scene.now + milliseconds(1)) << "not looked at yet";
  scene.advance(DispatchScene::kBeat - milliseconds(50), others);
  const Instant wake = scene.dispatcher.on_tick(scene.now + milliseconds(1), out);
  EXPECT_EQ(wake, dropped + DispatchScene::kBeat + Duration{1});
  EXPECT_TRUE(out.closed.empty());
  scene.now = wake;
  scene.tick();
  EXPECT_EQ(out.closed.take(), "a");
}

TEST_F(DispatcherLanesTest, ALaneThatIsConnectedAgainIsNoDeath) {
  drop("a");
  scene.advance(milliseconds(900), {"b"});
  connect("a");
  scene.advance(milliseconds(1500), {"b"});
  EXPECT_TRUE(out.closed.empty());
  scene.advance(milliseconds(800), {"b"});
  EXPECT_EQ(out.closed.take(), "a") << "silence counts as before";
}

TEST_F(DispatcherLanesTest, WhoSaysSomethingLives) {
  drop("a");
  for (int beat = 0; beat < 7; ++beat) {
    scene.advance(milliseconds(900), {"b"});
    scene.report("a");
  }
  EXPECT_TRUE(out.closed.empty());
  scene.advance(milliseconds(1200), {"b"});
  EXPECT_EQ(out.closed.take(), "a");
}

TEST_F(DispatcherLanesTest, ADroppedLaneGetsNoJobs) {
  drop("a");
  scene.finish("a", 2);
  scene.dispatcher.on_spooled(2, scene.now, out);
  EXPECT_EQ(scene.deliver("a"), Jobs{});
  scene.finish("b", 2);
  EXPECT_EQ(scene.deliver("b"), (Jobs{4, 5}));
  scene.dispatcher.on_spooled(2, scene.now, out);
  connect("a");
  EXPECT_EQ(scene.deliver("a"), (Jobs{6, 7}));
}

TEST_F(DispatcherLanesTest, ALaneThatStaysAwayIsMadeAnew) {
  drop("a");
  scene.advance(8 * DispatchScene::kBeat, {"a", "b"});
  out.to_worker.clear();
  scene.advance(milliseconds(200), {"a", "b"});
  bool told = false;
  for (const auto& [worker, message] : out.to_worker.take_all())
    told = told || (worker == "a" && message.has_unknown());
  EXPECT_TRUE(told);
}

TEST_F(DispatcherLanesTest, AHelloBringsANewLane) {
  drop("a");
  scene.say_hello("a", 1, {{0, 1}, {2, 3}});
  EXPECT_EQ(out.closed.take(), "a");
  EXPECT_EQ(out.opened.take(), "a");
  connect("a");  // of the old one
  scene.advance(milliseconds(2500), {"b"});
  EXPECT_TRUE(out.closed.empty()) << "a lane that opens for the first time may take its time";
}

TEST_F(DispatcherLanesTest, StrangersAreIgnored) {
  drop("nobody");
  connect("nobody");
  connect("a");
  scene.advance(milliseconds(2000), {"b"});
  EXPECT_TRUE(out.closed.empty());
}

}  // namespace
}  // namespace fantail
