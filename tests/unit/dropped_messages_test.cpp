// What the three deciders do not act on is counted, by why.
#include "pipeline/dropped_messages.h"

#include <gtest/gtest.h>

#include "pipeline/column.h"
#include "tests/support/dispatch_scene.h"
#include "tests/support/session_scene.h"

namespace fantail {

// For what a failed comparison prints.
void PrintTo(const DroppedMessages& dropped, std::ostream* out) {
  *out << dropped.text();
}

namespace {

using Dropped = DroppedMessages;

TEST(DroppedMessages, HaveALineForTheLog) {
  EXPECT_EQ((Dropped{.late = 3, .forged = 1, .stale = 2}).text(),
            "3 late, 1 forged and 2 stale messages were dropped");
}

TEST(DroppedMessages, ByTheVentilator) {
  DispatchScene scene;
  scene.open_sink();
  scene.join("a", 1);
  scene.sink_answers = true;
  scene.advance(std::chrono::milliseconds(500), {"a"});
  EXPECT_EQ(scene.dispatcher.dropped(), Dropped{});

  auto status = scene.status_of("a", true);
  status.set_number(5);
  for (int time = 0; time < 2; ++time)
    scene.dispatcher.on_worker(status, scene.now, scene.out);
  scene.report("taken for dead");
  scene.answer_question(scene.question(), {});
  const std::uint64_t asked = scene.question();
  scene.answer_question(asked - 1, {});
  EXPECT_EQ(scene.dispatcher.dropped(), (Dropped{.late = 3}));

  status.set_epoch(DispatchScene::kEpoch - 1);
  scene.dispatcher.on_worker(status, scene.now, scene.out);
  scene.dispatcher.on_sink(
      scene.from_sink([](proto::SinkToVentilator& message) { message.set_run_id("run-of-others---"); }),
      scene.now, scene.out);
  scene.dispatcher.on_sink(
      scene.from_sink([](proto::SinkToVentilator& message) { message.set_ventilator_epoch(1); }), scene.now,
      scene.out);
  EXPECT_EQ(scene.dispatcher.dropped(), (Dropped{.late = 3, .stale = 3}));

  scene.dispatcher.on_unreadable();
  scene.answer_question(asked + 1000, {});
  EXPECT_EQ(scene.dispatcher.dropped(), (Dropped{.late = 3, .forged = 2, .stale = 3}));
  scene.dispatcher.on_tick(scene.now + std::chrono::seconds(2), scene.out);
  EXPECT_EQ(scene.sync().facts().dropped().late(), 3u);
  EXPECT_EQ(scene.sync().facts().dropped().forged(), 2u);
  EXPECT_EQ(scene.sync().facts().dropped().stale(), 3u);
}

TEST(DroppedMessages, ByAWorker) {
  SessionScene scene;
  scene.set_up();
  EXPECT_EQ(scene.session.dropped(), Dropped{});

  const proto::Lane lane = SessionScene::lane_of(2, 0, 1);
  scene.send_lane(lane);
  scene.send_lane(lane);
  scene.welcome();
  EXPECT_EQ(scene.session.dropped(), (Dropped{.late = 2}));

  proto::Lane other = SessionScene::lane_of(3, 1, 1);
  other.set_epoch(SessionScene::kEpoch - 1);
  scene.send_lane(other);
  scene.from_ventilator([](proto::VentilatorToWorker& message) { message.mutable_stop(); },
                        SessionScene::kEpoch - 1);
  scene.durable({7}, "run-of-others---");
  EXPECT_EQ(scene.session.dropped(), (Dropped{.late = 2, .stale = 3}));
  EXPECT_FALSE(scene.session.finished());

  proto::Lane torn = SessionScene::lane_of(3, 1, 1);
  for (JobId job = 0; job < 2; ++job)
    torn.add_jobs(job);
  scene.send_lane(torn);
  scene.session.on_unreadable();
  EXPECT_EQ(scene.session.dropped(), (Dropped{.late = 2, .forged = 2, .stale = 3}));
  EXPECT_EQ(scene.out.started.size(), 1u);
}

class CollectorDrops : public testing::Test {
 protected:
  CollectorDrops() {
    auto open = from_ventilator();
    open.mutable_open()->set_protocol_version(1);
    open.mutable_open()->mutable_spec()->set_run_id(open.run_id());
    open.mutable_open()->mutable_spec()->mutable_kind()->mutable_echo();
    tell(open);
  }

  static proto::VentilatorToSink from_ventilator(std::uint64_t epoch = 2) {
    proto::VentilatorToSink message;
    message.set_run_id("run-0123456789ab");
    message.set_epoch(epoch);
    return message;
  }
  static proto::Results results_of(JobId job) {
    proto::Results results;
    results.set_run_id("run-0123456789ab");
    results.set_worker_id("worker-id-012345");
    results.set_first_job(job);
    results.set_count(1);
    append_to(*results.mutable_inputs(), "input");
    return results;
  }
  void tell(const proto::VentilatorToSink& message) { collector.on_ventilator(message, now, ledger, out); }
  void bring(const proto::Results& results) { collector.on_results(results, now, ledger); }
  // From one that knows so many spans of the log.
  void sync(std::uint64_t question, std::uint64_t offset = 0) {
    auto message = from_ventilator();
    message.mutable_sync()->set_question(question);
    message.mutable_sync()->set_spooled(1);
    message.mutable_sync()->set_sink_epoch(CollectorPolicy{}.epoch);
    message.mutable_sync()->set_offset(offset);
    message.mutable_sync()->set_closed(offset > 0);
    message.mutable_sync()->mutable_facts()->mutable_dropped()->set_late(10);
    tell(message);
  }

  Instant now = Instant{} + std::chrono::hours(1);
  RecordingCollectorOutbox out;
  RecordingLedger ledger;
  Collector collector{CollectorPolicy{}, now};
};

TEST_F(CollectorDrops, AreCountedAndKept) {
  bring(results_of(0));
  bring(results_of(0));
  collector.begin_commit();
  collector.on_committed(now, out);
  EXPECT_EQ(collector.summary(now).duplicates, 1u);
  EXPECT_EQ(collector.dropped(), Dropped{});

  auto torn = results_of(0);
  append_to(*torn.mutable_payloads(), "one");
  append_to(*torn.mutable_payloads(), "too many");
  bring(torn);
  collector.on_unreadable();
  auto foreign = results_of(0);
  foreign.set_run_id("run-of-others---");
  bring(foreign);
  auto former = from_ventilator(1);
  former.mutable_sync()->set_question(9);
  tell(former);
  EXPECT_EQ(collector.dropped(), (Dropped{.forged = 2, .stale = 2}));

  sync(5);
  EXPECT_EQ(collector.summary(now).dropped, (Dropped{.late = 10, .forged = 2, .stale = 2}))
      << "with the ventilator's";
  EXPECT_EQ(collector.books(now).dropped().forged(), 2u);
  EXPECT_EQ(collector.books(now).dropped().stale(), 2u);
}

TEST_F(CollectorDrops, ResultsAreLateOnceTheRunHasEnded) {
  bring(results_of(0));
  collector.begin_commit();
  collector.on_committed(now, out);
  sync(1, 1);
  ASSERT_TRUE(collector.run_ended());
  bring(results_of(0));
  EXPECT_EQ(collector.dropped(), (Dropped{.late = 1}));
}

TEST_F(CollectorDrops, AQuestionThatCameTwiceIsLate) {
  sync(1);
  sync(2);
  collector.on_tick(now + std::chrono::seconds(1), ledger, out);  // answers
  sync(3);
  sync(4);
  sync(4);
  EXPECT_EQ(collector.dropped(), (Dropped{.late = 1}));
}

}  // namespace
}  // namespace fantail
