// The dispatcher towards its workers: registration, credit, and what becomes of a lost worker's jobs.
#include "ventilator/dispatcher.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/dispatch_scene.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Jobs = std::vector<JobId>;

// A scene whose sink is there and has answered once.
class DispatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    scene.open_sink();
    scene.answer();
  }
  DispatchScene scene;
  RecordingDispatchOutbox& out = scene.out;
};

TEST_F(DispatcherTest, AWorkerGetsALaneAndThenJobs) {
  scene.dispatcher.on_spooled(10, scene.now, out);
  scene.say_hello("a", 2);
  EXPECT_EQ(out.opened.take(), "a");
  out.expect_workers_empty();
  scene.dispatcher.on_lane_open("a", scene.now, out);
  const auto first = out.batches.take();
  EXPECT_EQ(first.worker, "a");
  EXPECT_EQ(first.batch.sequence, 2u) << "the lane's first message carried the spec";
  EXPECT_EQ(first.jobs(), (Jobs{0, 1})) << "one in each slot";
  EXPECT_TRUE(first.batch.attempts.empty());
  EXPECT_EQ(first.batch.time_left, Duration{0});
  const auto ahead = out.batches.take();
  EXPECT_EQ(ahead.batch.sequence, 3u);
  EXPECT_EQ(ahead.jobs(), (Jobs{2})) << "and one to go on with";
  out.expect_workers_empty();
}

TEST_F(DispatcherTest, FreeSlotsComeBeforeWorkAhead) {
  scene.join("a", 2);
  scene.join("b", 2);
  scene.dispatcher.on_spooled(4, scene.now, out);
  const auto batches = scene.deliver();
  EXPECT_EQ(DispatchScene::jobs_for("a", batches), (Jobs{0, 1}));
  EXPECT_EQ(DispatchScene::jobs_for("b", batches), (Jobs{2, 3}));
}

TEST_F(DispatcherTest, CreditComesBackWithTheStatusOnly) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(10, scene.now, out);
  EXPECT_EQ(scene.deliver("a"), (Jobs{0, 1}));
  scene.report("a", false);
  EXPECT_EQ(scene.deliver("a"), Jobs{}) << "it still holds both";
  scene.finish("a");
  EXPECT_EQ(scene.deliver("a"), (Jobs{2}));
  scene.advance(milliseconds(500));
  EXPECT_EQ(scene.deliver("a"), Jobs{});
}

TEST_F(DispatcherTest, AJobOnItsWayCountsAsHeld) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(10, scene.now, out);
  // The worker has not seen the batches: its status counts none of them.
  scene.report("a", false);
  EXPECT_EQ(out.batches.size(), 2u);
}

TEST_F(DispatcherTest, ASlowWorkerBesideAFastOneGetsWhatItCanDo) {
  scene.join("fast", 1);
  scene.join("slow", 1);
  scene.dispatcher.on_spooled(100, scene.now, out);
  Jobs fast, slow;
  for (int step = 0; step < 200; ++step) {
    for (const auto& batch : scene.deliver()) {
      Jobs& jobs = batch.worker == "fast" ? fast : slow;
      const Jobs given = batch.jobs();
      jobs.insert(jobs.end(), given.begin(), given.end());
    }
    scene.finish("fast");
    if (step % 20 == 19) scene.finish("slow");
  }
  EXPECT_EQ(fast.size() + slow.size(), 100u);
  EXPECT_LE(slow.size(), 7u);
  EXPECT_GE(slow.size(), 5u);
}

TEST_F(DispatcherTest, ADrainingOrBlockedWorkerGetsNothing) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(10, scene.now, out);
  scene.deliver();
  scene.workers["a"].draining = true;
  scene.finish("a", 2);
  EXPECT_EQ(scene.deliver("a"), Jobs{});
  scene.workers["a"].draining = false;
  scene.workers["a"].blocked = true;
  scene.report("a");
  EXPECT_EQ(scene.deliver("a"), Jobs{});
  scene.workers["a"].blocked = false;
  scene.report("a");
  EXPECT_EQ(scene.deliver("a").size(), 2u);
}

TEST_F(DispatcherTest, ALateWorkerGetsJobsAtOnce) {
  scene.dispatcher.on_spooled(10, scene.now, out);
  scene.join("a", 1);
  scene.deliver();
  scene.join("b", 1);
  EXPECT_EQ(scene.deliver("b"), (Jobs{2, 3}));
}

TEST_F(DispatcherTest, ADeadWorkersJobsWaitForTheSinksWord) {
  scene.join("a", 1);
  scene.join("b", 1);
  scene.dispatcher.on_spooled(4, scene.now, out);
  scene.deliver();  // a: 0 and 2, b: 1 and 3
  scene.finish("b", 2);
  scene.answer({{1, 2}, {3, 4}});
  scene.sink_answers = true;
  scene.advance(milliseconds(2900), {"b"});
  scene.sink_answers = false;
  EXPECT_TRUE(out.closed.empty()) << "two missed heartbeats are no death";
  scene.advance(milliseconds(300), {"b"});
  EXPECT_EQ(out.closed.take(), "a");
  EXPECT_EQ(scene.deliver("b"), Jobs{}) << "its results may be on their way to the sink";
  scene.answer({{0, 1}});
  const auto batch = out.batches.take();
  EXPECT_EQ(batch.worker, "b");
  EXPECT_EQ(batch.jobs(), (Jobs{2})) << "job 0 was done";
  EXPECT_EQ(batch.batch.attempts, (std::vector<std::uint32_t>{2}));
  EXPECT_TRUE(out.batches.empty());
}

TEST_F(DispatcherTest, AnAnswerToAnEarlierQuestionSettlesNothing) {
  scene.join("a", 1);
  scene.join("b", 1);
  scene.dispatcher.on_spooled(1, scene.now, out);
  scene.deliver();
  scene.advance(milliseconds(10), {"b"});
  const std::uint64_t earlier = scene.question();
  ASSERT_GT(earlier, scene.answered);
  scene.say_goodbye("a");
  scene.answer_question(earlier, {});
  EXPECT_EQ(scene.deliver("b"), Jobs{});
  scene.advance(milliseconds(10), {"b"});
  scene.answer();
  EXPECT_EQ(scene.deliver("b"), (Jobs{0}));
}

TEST_F(DispatcherTest, AWorkerThatLeavesLosesNothing) {
  scene.join("a", 1);
  scene.join("b", 1);
  scene.dispatcher.on_spooled(1, scene.now, out);
  scene.deliver();
  scene.advance(milliseconds(5));
  scene.answer();
  scene.advance(milliseconds(5));
  scene.say_goodbye("a");
  EXPECT_EQ(out.closed.take(), "a");
  scene.advance(milliseconds(5));
  scene.answer();
  const auto batch = out.batches.take();
  EXPECT_EQ(batch.jobs(), (Jobs{0}));
  EXPECT_TRUE(batch.batch.attempts.empty()) << "a goodbye says that nothing was begun";
  EXPECT_EQ(scene.sync().facts().workers(), 2u);
  EXPECT_EQ(scene.sync().facts().workers_now(), 1u);
}

TEST_F(DispatcherTest, AJobThatAWholeStatusMissesIsGivenAgain) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(2, scene.now, out);
  scene.deliver();
  scene.workers["a"].active.erase(1);
  scene.report("a", false);
  scene.advance(milliseconds(5));
  scene.answer();
  EXPECT_TRUE(out.batches.empty()) << "only a whole status says what is not held";
  scene.report("a");
  EXPECT_TRUE(out.batches.empty());
  scene.advance(milliseconds(5));
  scene.answer();
  EXPECT_EQ(scene.deliver("a"), (Jobs{1}));
}

TEST_F(DispatcherTest, AFinishedJobThatTheSinkKnowsIsNotGivenAgain) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(1, scene.now, out);
  scene.deliver();
  scene.finish("a");
  scene.workers["a"].retained.clear();  // the sink has told the worker, its word to us is on the way
  scene.report("a");
  scene.advance(milliseconds(5));
  scene.answer({{0, 1}});
  scene.advance(milliseconds(100));
  EXPECT_TRUE(out.batches.empty());
}

TEST_F(DispatcherTest, ALaneThatLosesAMessageIsMadeAnew) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(1, scene.now, out);
  out.batches.clear();  // lost
  scene.sink_answers = true;
  scene.advance(milliseconds(2000), {"a"});
  for (const auto& sent : out.to_worker.take_all())
    EXPECT_TRUE(sent.message.has_pong());
  scene.advance(milliseconds(200), {"a"});
  int unknowns = 0;
  for (const auto& sent : out.to_worker.take_all())
    unknowns += sent.message.has_unknown() ? 1 : 0;
  EXPECT_EQ(unknowns, 1) << "asked once, then given time";
  scene.say_hello("a", 1);
  EXPECT_EQ(out.closed.take(), "a");
  EXPECT_EQ(out.opened.take(), "a");
  scene.dispatcher.on_lane_open("a", scene.now, out);
  scene.advance(milliseconds(10));
  EXPECT_EQ(out.batches.take().jobs(), (Jobs{0}));
}

TEST_F(DispatcherTest, AWorkerThatComesBackKeepsWhatItHolds) {
  scene.join("a", 2);
  scene.dispatcher.on_spooled(3, scene.now, out);
  scene.deliver();
  scene.say_hello("a", 2, {{0, 2}});
  EXPECT_EQ(out.closed.take(), "a");
  EXPECT_EQ(out.opened.take(), "a");
  scene.dispatcher.on_lane_open("a", scene.now, out);
  EXPECT_TRUE(out.batches.empty());
  scene.advance(milliseconds(5));
  scene.answer();
  const auto batch = out.batches.take();
  EXPECT_EQ(batch.jobs(), (Jobs{2})) << "the only one that it did not name";
  EXPECT_EQ(batch.batch.sequence, 2u);
  EXPECT_TRUE(out.batches.empty());
}

// The jobs that it kept came by a lane that is gone, with sequences that the new one has not reached.
TEST_F(DispatcherTest, WhatACameBackWorkerDropsLaterIsMissedToo) {
  scene.join("a", 2);
  scene.dispatcher.on_spooled(3, scene.now, out);
  scene.deliver();
  scene.say_hello("a", 2, {{0, 3}});
  scene.workers["a"].sequence = 1;
  scene.dispatcher.on_lane_open("a", scene.now, out);
  scene.workers["a"].active.erase({1, 3});
  scene.report("a");
  scene.advance(milliseconds(5));
  scene.answer();
  EXPECT_EQ(scene.deliver("a"), (Jobs{1, 2}));
}

TEST_F(DispatcherTest, AnUnknownWorkersJobsAreAdopted) {
  scene.dispatcher.on_spooled(4, scene.now, out);
  scene.say_hello("a", 1, {{1, 3}});
  EXPECT_EQ(out.opened.take(), "a");
  scene.dispatcher.on_lane_open("a", scene.now, out);
  EXPECT_TRUE(out.batches.empty()) << "it has as many as it may";
  scene.join("b", 1);
  EXPECT_EQ(scene.deliver("b"), (Jobs{0, 3}));
}

// A late welcome took it to a lane that is closed: what the open one carried it would never tell of.
TEST_F(DispatcherTest, AWorkerOnAnotherLaneIsToldToSayHello) {
  scene.join("a", 2);
  scene.dispatcher.on_spooled(2, scene.now, out);
  scene.deliver();
  scene.report("a");
  out.to_worker.take_all();
  scene.workers["a"].sequence = 0;
  auto status = scene.status_of("a", true);
  scene.dispatcher.on_worker(status, scene.now, out);
  bool unknown = false;
  for (const auto& answer : out.to_worker.take_all())
    unknown = unknown || answer.message.has_unknown();
  EXPECT_TRUE(unknown);
}

TEST_F(DispatcherTest, RangesThatAreNoJobsOfThisRunAreIgnored) {
  scene.dispatcher.on_spooled(4, scene.now, out);
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  auto hello = DispatchScene::hello_of("a", 1);
  for (const auto& [first, count] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {kMost, 5}, {2, kMost}, {kMost - 1, kMost}, {3, 2}, {4, 1}, {1, 0}}) {
    proto::JobRange& range = *hello.mutable_hello()->add_holding();
    range.set_first(first);
    range.set_count(count);
  }
  scene.dispatcher.on_worker(hello, scene.now, out);
  scene.dispatcher.on_lane_open("a", scene.now, out);
  EXPECT_EQ(DispatchScene::jobs_for("a", out.batches.take_all()), (Jobs{0, 1}));
}

TEST_F(DispatcherTest, AHelloWithJobsOfAnotherRunHoldsNothing) {
  scene.dispatcher.on_spooled(2, scene.now, out);
  auto hello = DispatchScene::hello_of("a", 1, {{0, 2}});
  hello.mutable_hello()->set_run_id("another");
  scene.dispatcher.on_worker(hello, scene.now, out);
  scene.dispatcher.on_lane_open("a", scene.now, out);
  EXPECT_EQ(DispatchScene::jobs_for("a", out.batches.take_all()), (Jobs{0, 1}));
}

TEST_F(DispatcherTest, AStaleEpochIsToldToSayHello) {
  scene.join("a", 1);
  auto status = scene.status_of("a", true);
  status.set_epoch(DispatchScene::kEpoch - 1);
  scene.dispatcher.on_worker(status, scene.now, out);
  EXPECT_TRUE(out.to_worker.take().message.has_unknown());
  scene.dispatcher.on_worker(scene.status_of("stranger", true), scene.now, out);
  const auto answer = out.to_worker.take();
  EXPECT_EQ(answer.worker, "stranger");
  EXPECT_EQ(answer.message.epoch(), DispatchScene::kEpoch);
  EXPECT_TRUE(answer.message.has_unknown());
  scene.say_goodbye("stranger");
  out.expect_workers_empty();
}

TEST_F(DispatcherTest, RefusalsSayWhy) {
  struct Case {
    const char* what;
    void (*change)(proto::WorkerHello& hello);
    const char* reason;
  };
  const Case cases[] = {
      {"another protocol", [](proto::WorkerHello& hello) { hello.set_protocol_version(2); },
       "protocol version"},
      {"no version at all", [](proto::WorkerHello& hello) { hello.clear_protocol_version(); },
       "protocol version"},
      {"other kinds", [](proto::WorkerHello& hello) { hello.clear_kinds(); }, "kind echo"},
      {"no slots", [](proto::WorkerHello& hello) { hello.set_slots(0); }, "kind echo"},
  };
  scene.dispatcher.on_spooled(1, scene.now, out);
  for (const Case& each : cases) {
    auto hello = DispatchScene::hello_of("a", 1);
    each.change(*hello.mutable_hello());
    scene.dispatcher.on_worker(hello, scene.now, out);
    const auto answer = out.to_worker.take();
    EXPECT_NE(answer.message.wait().reason().find(each.reason), std::string::npos) << each.what;
    out.expect_workers_empty();
  }
}

TEST(Dispatcher, AsynchronousKindsRunInAsyncSlots) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.asynchronous = true;
  DispatchScene scene(policy);
  scene.open_sink();
  scene.dispatcher.on_spooled(100, scene.now, scene.out);
  scene.join("a", 2);
  EXPECT_EQ(scene.deliver("a").size(), 21u);
}

TEST_F(DispatcherTest, APausedProcessDoesNotTakeEverybodyForDead) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(5, scene.now, out);
  scene.deliver();
  scene.tick();
  scene.now += seconds(60);
  scene.tick();
  EXPECT_TRUE(out.closed.empty());
  scene.finish("a");
  EXPECT_EQ(scene.deliver("a").size(), 1u) << "nor the sink";
  scene.advance(milliseconds(3200));
  EXPECT_EQ(out.closed.take(), "a") << "but one that stays silent is dead";
}

TEST_F(DispatcherTest, AWholeStatusIsAnsweredAndAPartialOneIsNot) {
  scene.join("a", 1);
  scene.report("a", false);
  EXPECT_TRUE(out.to_worker.empty());
  scene.report("a");
  const auto pong = out.to_worker.take();
  EXPECT_EQ(pong.message.pong().run_id(), DispatchScene::make_spec().run_id());
  EXPECT_EQ(pong.message.pong().stop_level(), proto::STOP_NONE);
}

TEST_F(DispatcherTest, CopiesHashEqualAndGoTheSameWay) {
  scene.join("a", 2);
  scene.dispatcher.on_spooled(10, scene.now, out);
  scene.deliver();
  Dispatcher copy = scene.dispatcher;
  const std::uint64_t before = copy.hash();
  EXPECT_EQ(scene.dispatcher.hash(), before);
  scene.finish("a");
  EXPECT_NE(scene.dispatcher.hash(), before);
  EXPECT_EQ(copy.hash(), before) << "copies share nothing";
  RecordingDispatchOutbox other;
  copy.on_worker(scene.status_of("a", false), scene.now, other);
  EXPECT_EQ(copy.hash(), scene.dispatcher.hash());
  EXPECT_EQ(other.batches.take().jobs(), out.batches.take().jobs());
}

TEST_F(DispatcherTest, ALateStatusGivesNoCredit) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(10, scene.now, out);
  EXPECT_EQ(scene.deliver("a"), (Jobs{0, 1}));
  const auto status = [](std::uint64_t number, std::uint64_t received, std::uint64_t unfinished) {
    return [=](proto::WorkerToVentilator& message) {
      message.set_number(number);
      message.mutable_status()->set_run_id(DispatchScene::make_spec().run_id());
      message.mutable_status()->set_received_sequence(received);
      message.mutable_status()->set_unfinished(unfinished);
    };
  };
  scene.dispatcher.on_worker(scene.from_worker("a", status(8, 3, 2)), scene.now, out);
  scene.dispatcher.on_worker(scene.from_worker("a", status(7, 2, 1)), scene.now, out);
  EXPECT_EQ(scene.deliver("a"), Jobs{});
  scene.dispatcher.on_worker(scene.from_worker("a", status(9, 3, 1)), scene.now, out);
  EXPECT_EQ(scene.deliver("a"), (Jobs{2}));
}

TEST_F(DispatcherTest, AWorkerThatTriesAnotherLaneSaysHelloAgain) {
  scene.say_hello("a", 1);
  EXPECT_EQ(out.opened.take(), "a");
  scene.advance(seconds(6), {"a"});
  for (const auto& sent : out.to_worker.take_all())
    EXPECT_FALSE(sent.message.has_unknown());
  scene.advance(seconds(4), {"a"});
  int unknown = 0;
  for (const auto& sent : out.to_worker.take_all())
    unknown += sent.message.has_unknown() ? 1 : 0;
  EXPECT_EQ(unknown, 1);
}

}  // namespace
}  // namespace fantail
