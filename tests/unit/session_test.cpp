// The session towards the ventilator: registration, the lane, stopping, leaving.
#include "worker/session.h"

#include <gtest/gtest.h>

#include "tests/support/session_scene.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SessionTest : public ::testing::Test {
 protected:
  SessionScene scene;
  RecordingSessionOutbox& out = scene.out;
  std::vector<JobId> started() {
    std::vector<JobId> jobs;
    for (const AcceptedJob& job : out.started.take_all())
      jobs.push_back(job.id);
    return jobs;
  }
};

using Jobs = std::vector<JobId>;

TEST_F(SessionTest, SaysHelloOnceAHeartbeatUntilItIsWelcome) {
  scene.tick();
  const auto message = out.to_ventilator.take();
  EXPECT_EQ(message.worker_id(), "worker-id-012345");
  EXPECT_EQ(message.epoch(), 0u);
  const proto::WorkerHello& hello = message.hello();
  EXPECT_EQ(hello.protocol_version(), 1u);
  EXPECT_EQ(hello.name(), "host-1");
  EXPECT_EQ(hello.slots(), 2u);
  EXPECT_EQ(hello.async_slots(), 7u);
  EXPECT_EQ(hello.kinds_size(), 2);
  EXPECT_EQ(hello.transport(), "tcp");
  EXPECT_EQ(hello.holding_size(), 0);
  EXPECT_EQ(scene.session.waits_for(), Session::WaitsFor::kVentilator);
  scene.advance(milliseconds(950));
  EXPECT_TRUE(out.to_ventilator.empty());
  scene.advance(milliseconds(50));
  EXPECT_TRUE(out.to_ventilator.take().has_hello());
  out.expect_empty();
}

TEST_F(SessionTest, AWelcomeLeadsToTheLaneAndToTheSink) {
  scene.tick();
  out.to_ventilator.clear();
  scene.welcome();
  EXPECT_EQ(out.lanes.take(), SessionScene::kLanePort);
  EXPECT_EQ(out.sinks.take(), (std::pair<std::string, std::uint32_t>("tcp://sinkhost:5558", 4444)));
  const auto hello = out.to_sink.take();
  EXPECT_EQ(hello.worker_id(), "worker-id-012345");
  EXPECT_EQ(hello.hello().protocol_version(), 1u);
  EXPECT_EQ(hello.hello().name(), "host-1");
  const auto status = out.to_ventilator.take();
  EXPECT_EQ(status.epoch(), SessionScene::kEpoch);
  EXPECT_TRUE(status.status().complete());
  out.expect_empty();
  EXPECT_EQ(scene.session.waits_for(), Session::WaitsFor::kLane);
}

TEST_F(SessionTest, TellsWhatItWaitsForNext) {
  scene.tick();
  scene.welcome();
  EXPECT_EQ(scene.session.waits_for(), Session::WaitsFor::kLane);
  scene.begin_run();
  EXPECT_EQ(scene.session.waits_for(), Session::WaitsFor::kSink);
  scene.sink_welcome();
  EXPECT_EQ(scene.session.waits_for(), Session::WaitsFor::kSinkData);
  scene.durable({1});
  EXPECT_EQ(scene.session.waits_for(), Session::WaitsFor::kNothing);
}

TEST_F(SessionTest, ARefusalIsKeptForPeopleUntilTheWelcome) {
  scene.tick();
  scene.from_ventilator(
      [](proto::VentilatorToWorker& message) { message.mutable_wait()->set_reason("no port"); });
  EXPECT_EQ(scene.session.refusal(), "no port");
  out.to_ventilator.clear();
  scene.advance(seconds(1));
  EXPECT_TRUE(out.to_ventilator.take().has_hello()) << "it asks again";
  scene.welcome();
  EXPECT_EQ(scene.session.refusal(), "");
}

TEST_F(SessionTest, TheHeartbeatIsTheVentilators) {
  scene.set_up();
  scene.advance(milliseconds(450));
  EXPECT_TRUE(out.to_ventilator.empty());
  scene.advance(milliseconds(50));
  EXPECT_TRUE(out.to_ventilator.take().status().complete());
  EXPECT_TRUE(out.to_sink.take().has_hello()) << "the sink may be a new one";
}

// A worker that waited for its ventilator has said hello many times, and each was queued.
TEST_F(SessionTest, OfManyWelcomesTheLastLaneCounts) {
  scene.tick();
  scene.welcome(5600);
  scene.welcome(5601);
  EXPECT_EQ(out.lanes.take(), 5600u);
  EXPECT_EQ(out.lanes.take(), 5601u);
  EXPECT_EQ(out.sinks.size(), 1u) << "the sink is the same";
  scene.welcome(5601);
  EXPECT_TRUE(out.lanes.empty());
  scene.begin_run();
  EXPECT_EQ(out.runs.size(), 1u);
}

TEST_F(SessionTest, JobsOfTheLaneAreStarted) {
  scene.set_up();
  proto::Lane lane = SessionScene::lane_of(2, 10, 2);
  lane.set_time_left_us(5000);
  scene.send_lane(lane);
  const AcceptedJob job = out.started.take();
  EXPECT_EQ(job.id, 10u);
  EXPECT_EQ(job.input, "input 10");
  EXPECT_EQ(job.attempt, 1u);
  EXPECT_EQ(job.time_left, milliseconds(5));
  EXPECT_EQ(out.started.take().id, 11u);
  out.expect_empty();
  proto::Lane sparse = SessionScene::lane_of(3, 0, 2);
  sparse.add_jobs(20);
  sparse.add_jobs(30);
  sparse.add_attempts(1);
  sparse.add_attempts(2);
  scene.send_lane(sparse);
  EXPECT_EQ(out.started.take().id, 20u);
  const AcceptedJob second = out.started.take();
  EXPECT_EQ(second.id, 30u);
  EXPECT_EQ(second.attempt, 2u);
}

TEST_F(SessionTest, WhatTheLaneBringsTwiceIsStartedOnce) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 2));
  scene.send_lane(SessionScene::lane_of(2, 0, 2));
  scene.send_lane(SessionScene::lane_of(3, 1, 2));
  EXPECT_EQ(started(), (Jobs{0, 1, 2}));
}

TEST_F(SessionTest, LaneMessagesThatDoNotFitAreIgnored) {
  scene.set_up();
  proto::Lane stale = SessionScene::lane_of(2, 0, 1);
  stale.set_epoch(SessionScene::kEpoch - 1);
  scene.send_lane(stale);
  proto::Lane foreign = SessionScene::lane_of(2, 0, 1);
  foreign.set_run_id("another");
  scene.send_lane(foreign);
  proto::Lane crooked = SessionScene::lane_of(3, 0, 2);
  crooked.add_jobs(7);
  scene.send_lane(crooked);
  out.expect_empty();
}

TEST_F(SessionTest, AGapInTheLaneLeadsToANewHello) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 3));
  scene.complete_range({0, 1});
  scene.forget();
  scene.send_lane(SessionScene::lane_of(4, 6, 3));
  EXPECT_EQ(out.closed_lanes, 1);
  EXPECT_TRUE(out.started.empty());
  const auto hello = out.to_ventilator.take();
  EXPECT_EQ(hello.epoch(), 0u);
  EXPECT_EQ(hello.hello().run_id(), SessionScene::kRun);
  EXPECT_EQ(get_ranges(hello.hello().holding()), (Spans{{0, 3}})) << "running, or finished and not durable";
  scene.send_lane(SessionScene::lane_of(5, 9, 3));
  out.expect_empty();
  scene.welcome(5601);
  EXPECT_EQ(out.lanes.take(), 5601u);
  scene.begin_run();
  EXPECT_TRUE(out.runs.empty()) << "the run goes on";
  scene.send_lane(SessionScene::lane_of(2, 6, 1));
  EXPECT_EQ(started(), (Jobs{6}));
}

TEST_F(SessionTest, AnUnknownWorkerSaysHelloAgainAndKeepsItsJobs) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 2));
  scene.forget();
  scene.say_unknown();
  EXPECT_EQ(out.closed_lanes, 1);
  EXPECT_EQ(get_ranges(out.to_ventilator.take().hello().holding()), (Spans{{0, 2}}));
  scene.welcome();
  EXPECT_EQ(out.lanes.take(), SessionScene::kLanePort) << "though the port may be the same";
  scene.begin_run();
  scene.forget();
  scene.complete_range({0, 2});
  EXPECT_EQ(out.results.take().count(), 2u);
}

TEST_F(SessionTest, AFormerVentilatorIsNotObeyed) {
  scene.set_up();
  scene.from_ventilator([](proto::VentilatorToWorker& message) { message.mutable_stop(); },
                        SessionScene::kEpoch - 1);
  scene.from_ventilator(
      [](proto::VentilatorToWorker& message) {
        message.mutable_pong()->set_run_id(SessionScene::kRun);
        message.mutable_pong()->set_stop_level(proto::STOP_RUNNING);
      },
      SessionScene::kEpoch - 1);
  EXPECT_FALSE(scene.session.finished());
  out.expect_empty();
}

TEST_F(SessionTest, StatusesTellTheCredit) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 5));
  scene.out.running_now = 2;
  scene.complete_range({0, 2});
  const proto::WorkerStatus status = scene.last_status();
  EXPECT_EQ(status.run_id(), SessionScene::kRun);
  EXPECT_EQ(status.received_sequence(), 2u);
  EXPECT_EQ(status.unfinished(), 3u);
  EXPECT_EQ(status.running(), 2u);
  EXPECT_EQ(status.mean_job_ns(), 400'000u);
  EXPECT_FALSE(status.complete());
  EXPECT_FALSE(status.draining());
  scene.advance(milliseconds(500));
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{0, 5}}));
}

TEST_F(SessionTest, StoppingTheQueuedLetsRunningJobsFinish) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 4));
  scene.forget();
  out.queued = {2, 3};
  scene.pong(proto::STOP_QUEUED);
  EXPECT_TRUE(out.stops.empty());
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{0, 2}}));
  scene.pong(proto::STOP_QUEUED);
  out.expect_empty();
  scene.send_lane(SessionScene::lane_of(3, 4, 2));
  EXPECT_TRUE(out.started.empty()) << "what comes after the stop is not begun";
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{0, 2}}));
}

TEST_F(SessionTest, StoppingWhatRunsNamesTheReason) {
  for (const auto& [status, reason] : {std::pair(proto::STATUS_CANCELLED, StopReason::kCancelled),
                                       std::pair(proto::STATUS_EXPIRED, StopReason::kExpired)}) {
    SessionScene other;
    other.set_up();
    other.send_lane(SessionScene::lane_of(2, 0, 2));
    other.pong(proto::STOP_QUEUED, status);
    EXPECT_TRUE(other.out.stops.empty());
    other.pong(proto::STOP_RUNNING, status);
    EXPECT_EQ(other.out.stops.take(), reason);
    other.pong(proto::STOP_QUEUED, status);
    EXPECT_TRUE(other.out.stops.empty()) << "levels only rise";
  }
}

TEST_F(SessionTest, APausedRunGetsBackWhatIsQueued) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 3));
  out.queued = {1, 2};
  scene.forget();
  scene.from_ventilator([](proto::VentilatorToWorker& message) {
    message.mutable_pong()->set_run_id(SessionScene::kRun);
    message.mutable_pong()->set_paused(true);
  });
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{0, 1}}));
  out.expect_empty();
}

TEST_F(SessionTest, SingleJobsAreCancelledAsFarAsTheyAreHere) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 4));
  out.queued = {2};
  scene.forget();
  scene.from_ventilator([](proto::VentilatorToWorker& message) {
    message.mutable_pong()->set_run_id(SessionScene::kRun);
    put_ranges(Spans{{1, 3}, {7, 9}}, message.mutable_pong()->mutable_cancelled());
  });
  EXPECT_EQ(out.cancels.take(), (Spans{{1, 3}}));
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{0, 2}, {3, 4}})) << "one still runs";
  out.expect_empty();
}

TEST_F(SessionTest, APongOfAnotherRunStopsNothing) {
  scene.set_up();
  scene.pong(proto::STOP_RUNNING, proto::STATUS_CANCELLED, "another");
  out.expect_empty();
}

TEST_F(SessionTest, PermitsGoToTheExecutor) {
  scene.set_up();
  const auto permit = [this](const std::string& run) {
    scene.from_ventilator([&](proto::VentilatorToWorker& message) {
      message.mutable_permit()->set_run_id(run);
      message.mutable_permit()->set_job(4);
      message.mutable_permit()->set_host("y:80");
    });
  };
  permit("another");
  out.expect_empty();
  permit(SessionScene::kRun);
  EXPECT_EQ(out.permits.take(), (std::pair<JobId, std::string>(4, "y:80")));
}

TEST_F(SessionTest, HostEventsGoToTheVentilator) {
  scene.set_up();
  proto::HostEvent event;
  event.set_type(proto::HostEvent::WANTED);
  event.set_job(3);
  event.set_host("y:80");
  scene.session.on_host_events({event}, out);
  const auto sent = out.to_ventilator.take();
  EXPECT_EQ(sent.epoch(), SessionScene::kEpoch);
  EXPECT_EQ(sent.host_events().run_id(), SessionScene::kRun);
  EXPECT_EQ(sent.host_events().events(0).host(), "y:80");
  scene.session.on_host_events({}, out);
  out.expect_empty();
}

TEST_F(SessionTest, DrainingGivesBackWhatNobodyStarted) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 3));
  scene.forget();
  out.queued = {1, 2};
  scene.session.on_drain(scene.now, out);
  EXPECT_TRUE(scene.session.draining());
  const proto::WorkerStatus status = scene.last_status();
  EXPECT_TRUE(status.draining());
  EXPECT_EQ(get_ranges(status.holding()), (Spans{{0, 1}}));
  scene.send_lane(SessionScene::lane_of(3, 5, 1));
  EXPECT_TRUE(out.started.empty());
  scene.advance(milliseconds(100));
  EXPECT_FALSE(scene.session.finished()) << "job 0 runs";
  scene.complete_range({0, 1});
  scene.advance(milliseconds(100));
  EXPECT_FALSE(scene.session.finished()) << "its result is not safe yet";
  out.to_ventilator.clear();
  scene.durable({2});
  scene.tick();
  EXPECT_TRUE(out.to_ventilator.take().has_goodbye());
  EXPECT_TRUE(scene.session.finished());
  EXPECT_EQ(scene.session.on_tick(scene.now, out), kNever);
}

TEST_F(SessionTest, AWorkerThatNobodyKnowsDrainsAtOnce) {
  scene.session.on_drain(scene.now, out);
  scene.tick();
  EXPECT_TRUE(scene.session.finished());
  out.expect_empty();
}

// What it still runs may need a host's permit, and is not to run elsewhere as well.
TEST_F(SessionTest, ADrainingWorkerIsWelcomedAgainAndTakesNoJobs) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 1));
  scene.session.on_drain(scene.now, out);
  scene.forget();
  scene.say_unknown();
  const auto hello = out.to_ventilator.take();
  ASSERT_TRUE(hello.has_hello());
  EXPECT_EQ(get_ranges(hello.hello().holding()), (Spans{{0, 1}}));
  scene.welcome(5601);
  EXPECT_EQ(out.lanes.take(), 5601u);
  EXPECT_TRUE(scene.last_status().draining());
  scene.send_lane(SessionScene::lane_of(1, 5, 1));
  EXPECT_TRUE(out.started.empty());
}

TEST_F(SessionTest, AsksAgainForAPermitThatDoesNotCome) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 2));
  std::vector<proto::HostEvent> events(2);
  for (int job = 0; job < 2; ++job) {
    events[static_cast<std::size_t>(job)].set_type(proto::HostEvent::WANTED);
    events[static_cast<std::size_t>(job)].set_job(static_cast<JobId>(job));
    events[static_cast<std::size_t>(job)].set_host("y:80");
  }
  scene.session.on_host_events(events, out);
  scene.from_ventilator([](proto::VentilatorToWorker& message) {
    message.mutable_permit()->set_run_id(SessionScene::kRun);
    message.mutable_permit()->set_job(0);
    message.mutable_permit()->set_host("y:80");
  });
  scene.forget();
  scene.advance(milliseconds(500));  // a heartbeat
  std::vector<JobId> asked;
  for (const auto& message : out.to_ventilator.take_all()) {
    for (const proto::HostEvent& event : message.host_events().events()) {
      EXPECT_EQ(event.type(), proto::HostEvent::WANTED);
      asked.push_back(event.job());
    }
  }
  EXPECT_EQ(asked, (std::vector<JobId>{1}));
}

TEST_F(SessionTest, ANewVentilatorDoesNotInheritAStop) {
  scene.set_up();
  scene.pong(proto::STOP_QUEUED);
  scene.say_unknown();
  scene.welcome(5601, SessionScene::kEpoch + 1);
  proto::Lane lane = SessionScene::lane_of(1, 5, 1);
  lane.set_epoch(SessionScene::kEpoch + 1);
  scene.send_lane(lane);
  EXPECT_EQ(out.started.take().id, 5u);
}

TEST_F(SessionTest, MessagesToTheVentilatorAreCounted) {
  scene.set_up();
  scene.advance(seconds(2));
  std::uint64_t last = 0;
  for (const auto& message : out.to_ventilator.take_all()) {
    EXPECT_GT(message.number(), last);
    last = message.number();
  }
  EXPECT_GT(last, 0u);
}

TEST_F(SessionTest, TheEndOfTheRunIsTheEndOfTheWorker) {
  scene.set_up();
  scene.from_ventilator([](proto::VentilatorToWorker& message) { message.mutable_stop(); });
  EXPECT_TRUE(scene.session.finished());
}

TEST(SessionStay, WaitsForTheNextVentilator) {
  SessionPolicy policy = SessionScene::make_policy();
  policy.stay = true;
  SessionScene scene(policy);
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 2));
  scene.forget();
  scene.from_ventilator([](proto::VentilatorToWorker& message) { message.mutable_stop(); });
  EXPECT_FALSE(scene.session.finished());
  EXPECT_EQ(scene.out.closed_lanes, 1);
  EXPECT_EQ(scene.out.stops.take(), StopReason::kCancelled);
  scene.complete_range({0, 2});
  EXPECT_TRUE(scene.out.results.empty()) << "the old run's jobs are forgotten";
  scene.advance(seconds(1));
  const auto hello = scene.out.to_ventilator.take();
  EXPECT_TRUE(hello.has_hello());
  EXPECT_EQ(hello.hello().holding_size(), 0);
  scene.welcome(5600, SessionScene::kEpoch);
  EXPECT_EQ(scene.out.lanes.take(), 5600u);
  scene.begin_run("the next run");
  EXPECT_EQ(scene.out.runs.take().run_id(), "the next run");
}

TEST_F(SessionTest, CopiesHashEqualUntilSomethingHappens) {
  scene.set_up();
  scene.send_lane(SessionScene::lane_of(2, 0, 2));
  Session copy = scene.session;
  const std::uint64_t before = copy.hash();
  EXPECT_EQ(scene.session.hash(), before);
  scene.complete_range({0, 1});
  EXPECT_NE(scene.session.hash(), before);
  EXPECT_EQ(copy.hash(), before);
  RecordingSessionOutbox other;
  copy.on_completions({SessionScene::batch_of({SessionScene::completion_of(0)})}, scene.now, other);
  EXPECT_EQ(copy.hash(), scene.session.hash());
}

}  // namespace
}  // namespace fantail
