// The dispatcher towards the sink: the completion log, stopping a run, the end.
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/dispatch_scene.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Jobs = std::vector<JobId>;

class DispatcherSinkTest : public ::testing::Test {
 protected:
  // A worker with one slot that holds jobs 0 and 1 of these.
  void begin(std::uint64_t jobs) {
    scene.open_sink();
    scene.answer();
    scene.join("a", 1);
    scene.dispatcher.on_spooled(jobs, scene.now, out);
    scene.deliver();
    scene.advance(milliseconds(5));
  }
  proto::VentilatorPong last_pong() {
    proto::VentilatorPong pong;
    for (const auto& sent : out.to_worker.take_all()) {
      if (sent.message.has_pong()) pong = sent.message.pong();
    }
    return pong;
  }
  void send_done(std::uint32_t exit_code) {
    scene.dispatcher.on_sink(scene.from_sink([&](proto::SinkToVentilator& message) {
      message.mutable_done()->set_exit_code(exit_code);
    }),
                             scene.now, out);
  }
  DispatchScene scene;
  RecordingDispatchOutbox& out = scene.out;
};

TEST_F(DispatcherSinkTest, OpensTheRunUntilTheSinkTakesIt) {
  scene.tick();
  const auto open = out.to_sink.take();
  EXPECT_EQ(open.run_id(), DispatchScene::make_spec().run_id());
  EXPECT_EQ(open.epoch(), DispatchScene::kEpoch);
  EXPECT_EQ(open.open().protocol_version(), 1u);
  EXPECT_TRUE(open.open().spec().kind().has_echo());
  scene.advance(milliseconds(900));
  EXPECT_TRUE(out.to_sink.empty());
  scene.advance(milliseconds(200));
  EXPECT_TRUE(out.to_sink.take().has_open()) << "once a second";
  EXPECT_TRUE(out.to_sink.empty());
  EXPECT_FALSE(scene.dispatcher.sink_reached());
}

// A sink that answers at once is asked again soon, and the end of the run is not slept over.
TEST_F(DispatcherSinkTest, WakesForTheNextQuestion) {
  begin(2);
  scene.answer();
  scene.tick();
  const std::uint64_t asked = scene.question();
  scene.now -= milliseconds(2);  // of the three that an answer takes here
  scene.answer();
  const Instant wake = scene.dispatcher.on_tick(scene.now, out);
  EXPECT_EQ(scene.question(), asked) << "not so soon";
  EXPECT_LE(wake, scene.now + milliseconds(2));
  scene.now = wake;
  scene.tick();
  EXPECT_EQ(scene.question(), asked + 1);
}

TEST_F(DispatcherSinkTest, NothingIsDispatchedBeforeTheSinkIsThere) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(5, scene.now, out);
  scene.advance(milliseconds(500), {"a"});
  EXPECT_TRUE(out.batches.empty());
  scene.open_sink();
  EXPECT_EQ(scene.deliver("a"), (Jobs{0, 1}));
}

TEST_F(DispatcherSinkTest, NothingIsDispatchedWhileTheSinkIsAway) {
  begin(10);
  scene.answer();
  scene.advance(milliseconds(3100), {"a"});
  scene.finish("a");
  EXPECT_EQ(scene.deliver("a"), Jobs{});
  scene.answer();
  EXPECT_EQ(scene.deliver("a"), (Jobs{2})) << "its word is enough to go on";
}

TEST_F(DispatcherSinkTest, AsksAgainWhenAnAnswerSeemsLost) {
  begin(1);
  const std::uint64_t lost = scene.question();
  scene.advance(milliseconds(1100), {"a"});
  EXPECT_GT(scene.question(), lost);
  EXPECT_EQ(scene.last_open.protocol_version(), 1u) << "a new sink must be told of the run";
  scene.answer_question(lost, {{0, 1}});
  scene.answer_question(lost, {{0, 1}});
  EXPECT_GT(scene.question(), lost);
}

TEST_F(DispatcherSinkTest, AnswersThatNobodyAskedForAreIgnored) {
  begin(2);
  // That the sink was heard a moment ago is all that changes.
  const auto hash_now = [&] {
    StateHash hash(scene.now, std::chrono::seconds(1));
    scene.dispatcher.add_to(hash);
    return hash.value();
  };
  const std::uint64_t before = hash_now();
  scene.answer_question(scene.question() + 5, {{0, 2}});
  auto foreign = scene.from_sink([&](proto::SinkToVentilator& message) {
    message.mutable_log()->set_question(scene.question());
    put_ranges({{0, 2}}, message.mutable_log()->mutable_done());
  });
  foreign.set_run_id("another");
  scene.dispatcher.on_sink(foreign, scene.now, out);
  EXPECT_EQ(hash_now(), before);
}

TEST_F(DispatcherSinkTest, RangesThatNoRunCanHaveAreForged) {
  begin(2);
  const auto kMost = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t asked = scene.question();
  scene.dispatcher.on_sink(scene.from_sink([&](proto::SinkToVentilator& message) {
    message.mutable_log()->set_question(asked);
    put_ranges({{kMost - 1, kMost}, {2, 3}}, message.mutable_log()->mutable_done());
    proto::JobRange& wraps = *message.mutable_log()->add_done();
    wraps.set_first(1);
    wraps.set_count(kMost);
  }),
                           scene.now, out);
  EXPECT_EQ(scene.dispatcher.dropped().forged, 2u);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_RUNNING);
  scene.workers["a"].active.clear();
  scene.report("a");
  scene.advance(milliseconds(10), {"a"});
  scene.answer();
  EXPECT_EQ(out.proposals.take().jobs, (Spans{{0, 2}})) << "none of them was taken for done";
}

TEST_F(DispatcherSinkTest, ANewSinksWholeLogTellsWhatItHasForgotten) {
  begin(6);
  for (const JobId job : {JobId{0}, JobId{1}, JobId{2}}) {
    scene.finish("a");
    scene.answer({{job, job + 1}});
    scene.deliver();
    scene.advance(milliseconds(5));
  }
  scene.finish("a", 2);  // 3 and 4: retained
  scene.deliver();       // 5
  scene.finish("a");
  scene.advance(milliseconds(5));
  scene.restart_sink({{0, 1}});
  scene.answer();
  EXPECT_NE(out.troubles.take().find("lost 2 outcomes"), std::string::npos);
  EXPECT_TRUE(out.batches.empty()) << "the workers may still hold them";
  scene.advance(milliseconds(5));
  scene.answer();
  EXPECT_EQ(scene.deliver("a"), (Jobs{1, 2}))
      << "what it does not know runs again, what the worker retains does not";
}

// Else it would run again and again: the sink counts a duplicate, and its log does not name the job twice.
TEST_F(DispatcherSinkTest, WhatTheSinkKnowsAsDoneBeforeItIsSpooledDoesNotRunAgain) {
  scene.open_sink();
  scene.answer({{0, 3}, {4, 6}});
  scene.join("a", 10);
  scene.dispatcher.on_spooled(2, scene.now, out);
  EXPECT_EQ(scene.deliver("a"), Jobs{});
  scene.dispatcher.on_spooled(6, scene.now, out);
  EXPECT_EQ(scene.deliver("a"), (Jobs{3, 6, 7}));
}

TEST_F(DispatcherSinkTest, TheFactsNameWhatOnlyTheVentilatorKnows) {
  begin(10);
  scene.dispatcher.on_input_end(true, 3, scene.now, out);
  scene.answer();
  scene.advance(milliseconds(10));
  const proto::RunSync sync = scene.sync();
  EXPECT_EQ(sync.spooled(), 10u);
  EXPECT_TRUE(sync.closed());
  EXPECT_EQ(sync.sink_epoch(), scene.sink_epoch);
  EXPECT_GT(sync.facts().since_first_dispatch_us(), 0u);
  EXPECT_EQ(sync.facts().workers(), 1u);
  EXPECT_EQ(sync.facts().running(), 1u);
  EXPECT_EQ(sync.facts().max_running(), 1u);
  EXPECT_TRUE(sync.facts().input_complete());
  EXPECT_EQ(sync.facts().skipped(), 3u);
  EXPECT_EQ(sync.facts().end(), proto::RUN_END_NONE);
}

TEST_F(DispatcherSinkTest, NewsGoesToTheSinkAtOnce) {
  begin(2);
  const std::uint64_t open_question = scene.question();
  scene.advance(milliseconds(5));
  EXPECT_EQ(scene.question(), open_question) << "one question at a time";
  scene.dispatcher.on_input_end(true, 0, scene.now, out);
  EXPECT_GT(scene.question(), open_question);
  EXPECT_TRUE(scene.last_sync.closed());
}

TEST_F(DispatcherSinkTest, StoppingTheQueuedProposesWhatNobodyHolds) {
  begin(5);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  const auto proposal = out.proposals.take();
  EXPECT_EQ(proposal.jobs, (Spans{{2, 5}}));
  EXPECT_EQ(proposal.verdict, Verdict::kCancelled);
  const auto pong = last_pong();
  EXPECT_EQ(pong.stop_level(), proto::STOP_QUEUED);
  EXPECT_EQ(pong.stop_status(), proto::STATUS_CANCELLED);
  EXPECT_TRUE(scene.dispatcher.stopped());
  // The worker drops job 1 from its queue and goes on with job 0.
  scene.workers["a"].active.erase(1);
  scene.report("a");
  scene.advance(milliseconds(5), {"a"});
  scene.answer();
  EXPECT_EQ(out.proposals.take().jobs, (Spans{{1, 2}}));
  scene.advance(milliseconds(5), {"a"});
  scene.finish("a");
  scene.answer({{0, 5}});
  scene.advance(seconds(3), {"a"});
  EXPECT_TRUE(out.proposals.empty());
  EXPECT_TRUE(out.batches.empty());
  EXPECT_FALSE(scene.sync().facts().input_complete());
  EXPECT_TRUE(scene.last_sync.closed());
  EXPECT_EQ(scene.last_sync.facts().end(), proto::RUN_END_INTERRUPTED);
  EXPECT_EQ(scene.last_sync.facts().end_reason(), "because");
}

TEST_F(DispatcherSinkTest, ProposalsAreRepeatedUntilTheLogNamesThem) {
  begin(5);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  out.proposals.clear();
  scene.advance(milliseconds(5));
  scene.answer({{2, 4}});
  scene.sink_answers = true;
  scene.advance(milliseconds(1100), {"a"});
  EXPECT_EQ(out.proposals.take().jobs, (Spans{{4, 5}}));
}

TEST_F(DispatcherSinkTest, StoppingWhatRunsGivesTheWorkersLittleTime) {
  begin(3);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_RUNNING);
  EXPECT_EQ(last_pong().stop_level(), proto::STOP_RUNNING);
  out.proposals.clear();
  scene.sink_answers = true;
  scene.advance(milliseconds(600), {"a"});
  EXPECT_TRUE(out.proposals.empty());
  scene.advance(milliseconds(300), {"a"});
  EXPECT_EQ(out.proposals.take().jobs, (Spans{{0, 2}})) << "what it still holds, nobody will bring";
  EXPECT_EQ(scene.sync().facts().end(), proto::RUN_END_INTERRUPTED) << "the first reason stands";
}

TEST_F(DispatcherSinkTest, ALowerStopLevelChangesNothing) {
  begin(3);
  scene.stop(proto::RUN_END_DEADLINE, proto::STOP_RUNNING);
  out.stops.clear();
  const std::uint64_t before = scene.dispatcher.hash();
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  EXPECT_EQ(scene.dispatcher.hash(), before);
  EXPECT_TRUE(out.stops.empty());
}

TEST_F(DispatcherSinkTest, AStopIsRecordedBeforeItIsActedOn) {
  begin(5);
  for (const auto level : {proto::STOP_QUEUED, proto::STOP_RUNNING}) {
    scene.question();
    out.to_worker.clear();
    out.proposals.clear();
    scene.stop(proto::RUN_END_INTERRUPTED, level);
    EXPECT_EQ(out.sent_before_stop, 0u);
    EXPECT_EQ(out.stops.take(), (StopDecision{level, proto::RUN_END_INTERRUPTED, "because"}));
    EXPECT_EQ(last_pong().stop_level(), level);
  }
}

TEST(DispatcherStop, OfAFormerLifeGoesOn) {
  FormerLife former;
  former.frontier = 3;
  former.stop = {proto::STOP_QUEUED, proto::RUN_END_INTERRUPTED, "because"};
  DispatchScene scene(DispatchScene::make_policy(), former);
  RecordingDispatchOutbox& out = scene.out;
  EXPECT_TRUE(scene.dispatcher.stopped());
  scene.dispatcher.on_spooled(5, scene.now, out);
  scene.dispatcher.on_input_end(false, 0, scene.now, out);
  scene.open_sink();
  scene.say_hello("a", 2, {{1, 2}});
  scene.workers["a"].active.insert(1);
  scene.dispatcher.on_lane_open(out.opened.take(), scene.now, out);
  scene.answer();
  EXPECT_EQ(scene.sync().facts().end(), proto::RUN_END_INTERRUPTED);
  EXPECT_EQ(scene.last_sync.facts().end_reason(), "because");
  EXPECT_EQ(out.proposals.take().jobs, (Spans{{3, 5}})) << "they were never dispatched";
  scene.answer({{3, 5}});
  scene.sink_answers = true;
  scene.advance(milliseconds(1600), {"a"});
  EXPECT_EQ(out.proposals.take().jobs, (Spans{{0, 1}, {2, 3}})) << "nobody holds them";
  EXPECT_TRUE(out.proposals.empty()) << "the worker finishes job 1";
  EXPECT_TRUE(out.batches.empty());
  EXPECT_TRUE(out.stops.empty()) << "it is recorded already";
  scene.stop(proto::RUN_END_FAULT, proto::STOP_RUNNING);
  EXPECT_EQ(out.stops.take(), (StopDecision{proto::STOP_RUNNING, proto::RUN_END_INTERRUPTED, "because"}));
}

TEST_F(DispatcherSinkTest, TooManyUnstartedJobsAreOnlyCounted) {
  begin(100'003);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  EXPECT_TRUE(out.proposals.empty());
  scene.advance(milliseconds(10));
  EXPECT_EQ(get_ranges(scene.sync().facts().without_rows()), (Spans{{2, 100'003}}));
  EXPECT_EQ(scene.last_sync.facts().without_rows_status(), proto::STATUS_CANCELLED);
  scene.advance(seconds(2), {"a"});
  EXPECT_TRUE(out.proposals.empty());
}

TEST_F(DispatcherSinkTest, AHundredThousandStillGetRows) {
  begin(100'002);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  EXPECT_EQ(out.proposals.take().jobs, (Spans{{2, 100'002}}));
  EXPECT_EQ(scene.sync().facts().without_rows_size(), 0);
}

TEST_F(DispatcherSinkTest, WhatIsSpooledAfterTheStopIsNoPartOfTheRun) {
  begin(2);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  scene.dispatcher.on_spooled(10, scene.now, out);
  scene.dispatcher.on_input_end(true, 0, scene.now, out);
  EXPECT_EQ(scene.dispatcher.spooled(), 2u);
  scene.advance(milliseconds(10));
  EXPECT_FALSE(scene.sync().facts().input_complete());
}

TEST(DispatcherDeadline, StopsAllWhenTheSinkSaysSoOrOnItsOwn) {
  for (const bool sink_says_so : {true, false}) {
    DispatchPolicy policy = DispatchScene::make_policy();
    policy.deadline = seconds(2);
    DispatchScene scene(policy);
    scene.open_sink();
    scene.answer();
    EXPECT_EQ(scene.last_open.deadline_us(), 2'000'000u);
    scene.join("a", 1);
    scene.dispatcher.on_spooled(3, scene.now, scene.out);
    const auto batches = scene.deliver();
    ASSERT_FALSE(batches.empty());
    EXPECT_GT(batches[0].batch.time_left, milliseconds(1900));
    EXPECT_LE(batches[0].batch.time_left, seconds(2));
    scene.advance(milliseconds(1500), {"a"});
    if (sink_says_so) scene.answer({}, proto::RUN_END_DEADLINE);
    if (!sink_says_so) scene.advance(milliseconds(600), {"a"});
    const auto proposal = scene.out.proposals.take();
    EXPECT_EQ(proposal.jobs, (Spans{{2, 3}}));
    EXPECT_EQ(proposal.verdict, Verdict::kExpired);
    EXPECT_EQ(scene.sync().facts().end(), proto::RUN_END_DEADLINE);
    EXPECT_EQ(scene.last_sync.facts().without_rows_status(), proto::STATUS_EXPIRED);
  }
}

TEST_F(DispatcherSinkTest, ASinkThatWasStoppedStopsTheRun) {
  struct Case {
    proto::RunEnd end;
    proto::StopLevel level;
  };
  for (const Case& each :
       {Case{proto::RUN_END_FAULT, proto::STOP_RUNNING}, Case{proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED},
        Case{proto::RUN_END_NO_PEER, proto::STOP_RUNNING}}) {
    DispatchScene other;
    other.open_sink();
    other.answer();
    other.join("a", 1);
    other.advance(milliseconds(5), {"a"});
    other.out.to_worker.clear();
    other.answer({}, each.end);
    EXPECT_EQ(other.out.to_worker.take().message.pong().stop_level(), each.level);
  }
}

TEST(DispatcherWait, EndsARunThatNeverHadAWorker) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.wait = seconds(5);
  DispatchScene scene(policy);
  scene.open_sink();
  scene.sink_answers = true;
  scene.dispatcher.on_spooled(3, scene.now, scene.out);
  scene.advance(milliseconds(4900));
  EXPECT_FALSE(scene.dispatcher.stopped());
  scene.advance(milliseconds(200));
  EXPECT_TRUE(scene.dispatcher.stopped());
  EXPECT_EQ(scene.out.proposals.take().jobs, (Spans{{0, 3}}));
  EXPECT_EQ(scene.sync().facts().end(), proto::RUN_END_NO_PEER);
  EXPECT_FALSE(scene.dispatcher.exit_code()) << "the sink makes the report first";
}

TEST(DispatcherWait, EndsNoRunThatHadAWorkerOnce) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.wait = seconds(5);
  DispatchScene scene(policy);
  scene.open_sink();
  scene.sink_answers = true;
  scene.dispatcher.on_spooled(3, scene.now, scene.out);
  scene.join("a", 1);
  scene.say_goodbye("a");
  scene.advance(seconds(60));
  EXPECT_FALSE(scene.dispatcher.stopped());
}

TEST(DispatcherWait, WithoutASinkThereIsNobodyToReportTo) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.wait = seconds(5);
  DispatchScene scene(policy);
  scene.join("a", 1);
  scene.dispatcher.on_spooled(3, scene.now, scene.out);
  scene.advance(milliseconds(5100), {"a"});
  EXPECT_EQ(scene.dispatcher.exit_code(), 5);
}

TEST(DispatcherWait, IsUnlimitedByHand) {
  DispatchScene scene;
  scene.dispatcher.on_spooled(3, scene.now, scene.out);
  scene.advance(seconds(300));
  EXPECT_FALSE(scene.dispatcher.exit_code());
  EXPECT_FALSE(scene.dispatcher.stopped());
}

TEST_F(DispatcherSinkTest, ARefusalIsToldAndTheRunIsOfferedAgain) {
  scene.tick();
  out.to_sink.clear();
  scene.dispatcher.on_sink(scene.from_sink([](proto::SinkToVentilator& message) {
    message.mutable_refused()->set_reason("it is busy");
  }),
                           scene.now, out);
  EXPECT_NE(out.troubles.take().find("it is busy"), std::string::npos);
  EXPECT_FALSE(scene.dispatcher.sink_reached());
  scene.advance(milliseconds(1100));
  EXPECT_TRUE(out.to_sink.take().has_open());
}

TEST_F(DispatcherSinkTest, DoneIsAcknowledgedAndTheCodeIsTheSinks) {
  begin(2);
  send_done(1);
  scene.question();
  EXPECT_EQ(scene.acknowledged, 1);
  EXPECT_FALSE(scene.dispatcher.exit_code()) << "the sink still has to hear it";
  scene.dispatcher.on_sink_gone(scene.now);
  EXPECT_EQ(scene.dispatcher.exit_code(), 1);
}

TEST_F(DispatcherSinkTest, TwoSecondsAfterTheAcknowledgementItGoesByItself) {
  begin(2);
  send_done(0);
  scene.advance(milliseconds(1500));
  send_done(0);
  scene.question();
  EXPECT_EQ(scene.acknowledged, 2) << "each DONE is answered";
  scene.advance(milliseconds(400));
  EXPECT_FALSE(scene.dispatcher.exit_code());
  scene.advance(milliseconds(200));
  EXPECT_EQ(scene.dispatcher.exit_code(), 0);
}

TEST_F(DispatcherSinkTest, AClosedConnectionAloneEndsNothing) {
  begin(2);
  scene.dispatcher.on_sink_gone(scene.now);
  scene.tick();
  EXPECT_FALSE(scene.dispatcher.exit_code());
}

TEST_F(DispatcherSinkTest, AfterTheEndNothingIsStartedOrStopped) {
  begin(10);
  send_done(0);
  scene.finish("a", 2);
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_RUNNING);
  scene.tick();
  EXPECT_TRUE(out.batches.empty());
  EXPECT_TRUE(out.proposals.empty());
  EXPECT_FALSE(scene.dispatcher.stopped());
}

}  // namespace
}  // namespace fantail
