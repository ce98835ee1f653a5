// What the dispatcher tells the sink of the time of slots.
#include <gtest/gtest.h>

#include "tests/support/dispatch_scene.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DispatcherSlots : public testing::Test {
 protected:
  void begin(const DispatchPolicy& policy, std::uint32_t slots, std::uint64_t jobs, FormerLife former = {}) {
    scene.emplace(policy, std::move(former));
    scene->open_sink();
    scene->answer();
    scene->sink_answers = true;
    scene->join("a", slots);
    scene->dispatcher.on_spooled(jobs, scene->now, scene->out);
    scene->deliver();
  }
  void begin(std::uint32_t slots, std::uint64_t jobs) { begin(DispatchScene::make_policy(), slots, jobs); }
  void end_input() { scene->dispatcher.on_input_end(true, 0, scene->now, scene->out); }
  // The sums that a second adds, by what the sink is told.
  proto::SlotTime second() {
    scene->tick();
    const proto::SlotTime before = told();
    scene->advance(seconds(1), {"a"});
    proto::SlotTime sums = told();
    for (int use = 0; use < proto::SlotUse_ARRAYSIZE; ++use) {
      sums.set_slots_us(use, sums.slots_us(use) - before.slots_us(use));
      sums.set_binding_us(use, sums.binding_us(use) - before.binding_us(use));
    }
    return sums;
  }
  proto::SlotTime told() {
    scene->advance(milliseconds(5), {"a"});
    const proto::SlotTime sums = scene->sync().facts().slot_time();
    EXPECT_EQ(sums.slots_us_size(), proto::SlotUse_ARRAYSIZE);
    return sums;
  }
  // In a second so many slots were used like this.
  static void expect_slots(const proto::SlotTime& sums, proto::SlotUse use, int slots) {
    EXPECT_NEAR(static_cast<double>(sums.slots_us(use)), slots * 1e6, slots * 5e4) << "use " << use;
  }
  static void expect_binding(const proto::SlotTime& sums, proto::SlotUse use) {
    EXPECT_GE(sums.binding_us(use), 950'000u) << "use " << use;
  }
  // One of four slots has a job, the others wait for the same.
  void expect_three_wait_for(proto::SlotUse use) {
    const proto::SlotTime sums = second();
    expect_slots(sums, proto::SLOT_HAS_JOB, 1);
    expect_slots(sums, use, 3);
    expect_binding(sums, use);
  }

  std::optional<DispatchScene> scene;
};

TEST_F(DispatcherSlots, NothingIsToldBeforeTheFirstDispatch) {
  begin(2, 0);
  const proto::SlotTime sums = second();
  for (int use = 0; use < proto::SlotUse_ARRAYSIZE; ++use)
    EXPECT_EQ(sums.binding_us(use), 0u);
}

TEST_F(DispatcherSlots, AllHaveJobs) {
  begin(3, 10);
  const proto::SlotTime sums = second();
  expect_slots(sums, proto::SLOT_HAS_JOB, 3);
  expect_binding(sums, proto::SLOT_HAS_JOB);
}

TEST_F(DispatcherSlots, WaitForTheInput) {
  begin(4, 1);
  expect_three_wait_for(proto::SLOT_INPUT);
}

TEST_F(DispatcherSlots, AreIdleAtTheTail) {
  begin(4, 1);
  end_input();
  expect_three_wait_for(proto::SLOT_TAIL);
}

TEST_F(DispatcherSlots, WaitForTheRate) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.rate = 0.01;
  begin(policy, 4, 10);
  expect_three_wait_for(proto::SLOT_RATE);
}

TEST_F(DispatcherSlots, WaitBecauseSoManyJobsRun) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.max_running = 1;
  begin(policy, 4, 10);
  expect_three_wait_for(proto::SLOT_MAX_RUNNING);
}

TEST_F(DispatcherSlots, WaitForTheirHosts) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.hosts.per_host = 1;
  begin(policy, 4, 0);
  for (int job = 0; job < 3; ++job)
    scene->dispatcher.on_spooled_job({"a.example", {}, 0});
  scene->tick();
  scene->deliver();
  expect_three_wait_for(proto::SLOT_HOST);
}

TEST_F(DispatcherSlots, WaitWhileTheRunIsPaused) {
  begin(4, 1);
  proto::RunControl pause;
  pause.set_run_id(DispatchScene::make_spec().run_id());
  pause.set_action(proto::RunControl::PAUSE);
  scene->dispatcher.on_control("client", pause, scene->now, scene->out);
  scene->dispatcher.on_spooled(10, scene->now, scene->out);
  expect_three_wait_for(proto::SLOT_PAUSED);
}

TEST_F(DispatcherSlots, WaitForJobsToBeTriedAgain) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.backoff = {seconds(100), seconds(100)};
  begin(policy, 4, 2);
  end_input();
  scene->workers["a"].active.erase(1);
  scene->dispatcher.on_worker(scene->from_worker("a",
                                                 [](proto::WorkerToVentilator& message) {
                                                   proto::JobsFailed& failed = *message.mutable_failed();
                                                   failed.set_run_id(DispatchScene::make_spec().run_id());
                                                   proto::FailedAttempt& attempt = *failed.add_attempts();
                                                   attempt.set_job(1);
                                                   attempt.set_attempt(1);
                                                   attempt.set_duration_us(123);
                                                 }),
                              scene->now, scene->out);
  scene->report("a");
  expect_three_wait_for(proto::SLOT_BACKOFF);
  EXPECT_EQ(scene->sync().facts().retried_us(), 123u);
}

TEST_F(DispatcherSlots, WaitForAVentilatorWhoseDiskIsFull) {
  // It goes no further than its former life did.
  FormerLife former;
  former.frontier = 1;
  begin(DispatchScene::make_policy(), 4, 1, former);
  scene->advance(seconds(2), {"a"});
  scene->deliver();
  scene->out.frontier_writable = false;
  scene->dispatcher.on_spooled(10, scene->now, scene->out);
  expect_three_wait_for(proto::SLOT_VENTILATOR);
}

TEST_F(DispatcherSlots, WaitForASinkThatIsBehind) {
  begin(4, 1);
  scene->dispatcher.on_spooled(10, scene->now, scene->out);
  scene->workers["a"].blocked = true;
  scene->report("a");
  scene->deliver();
  scene->finish("a", 9);
  const proto::SlotTime sums = second();
  expect_slots(sums, proto::SLOT_SINK, 4 - static_cast<int>(scene->workers["a"].active.size()));
  expect_binding(sums, proto::SLOT_SINK);
}

TEST_F(DispatcherSlots, WaitForTheSinkToRecordTheLastOutcomes) {
  begin(4, 1);
  end_input();
  scene->finish("a");
  const proto::SlotTime sums = second();
  expect_slots(sums, proto::SLOT_SINK, 4);
  expect_binding(sums, proto::SLOT_SINK);
}

TEST_F(DispatcherSlots, WaitForALaneThatIsDown) {
  begin(4, 1);
  scene->dispatcher.on_lane_dropped("a", scene->now);
  const proto::SlotTime sums = second();
  expect_slots(sums, proto::SLOT_HAS_JOB, 1);
  expect_slots(sums, proto::SLOT_CONNECTION, 3);
  expect_binding(sums, proto::SLOT_CONNECTION);
}

TEST_F(DispatcherSlots, OfAWorkerThatLeavesOnlyThoseWithJobsCount) {
  begin(4, 1);
  scene->workers["a"].draining = true;
  scene->report("a");
  const proto::SlotTime sums = second();
  expect_slots(sums, proto::SLOT_HAS_JOB, 1);
  expect_slots(sums, proto::SLOT_INPUT, 0);
  scene->say_goodbye("a");
  const proto::SlotTime none = second();
  expect_slots(none, proto::SLOT_HAS_JOB, 0);
}

// Even where the ventilator lives on for a while.
TEST_F(DispatcherSlots, TimeStopsOnceAllIsDone) {
  begin(4, 1);
  end_input();
  scene->finish("a");
  scene->advance(milliseconds(100));
  scene->answer({{0, 1}});
  scene->tick();
  const proto::SlotTime sums = second();
  for (int use = 0; use < proto::SlotUse_ARRAYSIZE; ++use)
    EXPECT_EQ(sums.binding_us(use), 0u);
}

// Its workers may still have the jobs of the former one.
TEST_F(DispatcherSlots, AVentilatorThatCameBackCountsFromItsStart) {
  begin(DispatchScene::make_policy(), 4, 1, FormerLife{1, {}, {}});
  const proto::SlotTime sums = second();
  expect_slots(sums, proto::SLOT_VENTILATOR, 4);
}

}  // namespace
}  // namespace fantail
