// Runs that end before all their jobs are done: --halt and --first.
#include <gtest/gtest.h>

#include "pipeline/column.h"
#include "pipeline/halt.h"
#include "sink/collector.h"
#include "tests/support/recording_outboxes.h"

namespace fantail {
namespace {

class CollectorGoal : public testing::Test {
 protected:
  static constexpr const char* kRun = "run-0123456789ab";

  void open(const char* halt) {
    proto::VentilatorToSink message = from_ventilator();
    proto::RunOpen& run = *message.mutable_open();
    run.set_protocol_version(1);
    run.mutable_spec()->set_run_id(kRun);
    run.mutable_spec()->mutable_kind()->mutable_echo();
    *run.mutable_spec()->mutable_policy()->mutable_halt() = *parse_halt(halt);
    if (in_groups) {
      run.mutable_spec()->mutable_policy()->mutable_halt()->set_per_group(true);
      run.mutable_spec()->mutable_kind()->set_input_format(proto::INPUT_JOB_LINE);
    }
    collector->on_ventilator(message, now, ledger, out);
  }
  static proto::VentilatorToSink from_ventilator() {
    proto::VentilatorToSink message;
    message.set_run_id(kRun);
    message.set_epoch(2);
    return message;
  }
  void sync(std::uint64_t spooled, bool closed, std::uint64_t offset = 0) {
    proto::VentilatorToSink message = from_ventilator();
    proto::RunSync& sync = *message.mutable_sync();
    sync.set_question(++question);
    sync.set_sink_epoch(1);
    sync.set_offset(offset);
    sync.set_spooled(spooled);
    sync.set_closed(closed);
    sync.mutable_facts()->set_since_first_dispatch_us(100'000);
    sync.mutable_facts()->set_input_complete(closed);
    collector->on_ventilator(message, now, ledger, out);
  }
  void bring(JobId job, proto::Status status, std::uint64_t duration_us = 1000) {
    proto::Results results;
    results.set_run_id(kRun);
    results.set_worker_id("worker-id-012345");
    results.set_first_job(job);
    results.set_count(1);
    append_to(*results.mutable_inputs(), in_groups
                                             ? R"({"input": 1, "group": )" + std::to_string(job / 10) + "}"
                                             : "input " + std::to_string(job));
    results.add_statuses(status);
    results.add_duration_us(duration_us);
    collector->on_results(results, now, ledger);
  }
  void commit() {
    collector->begin_commit();
    collector->on_committed(now, out);
  }
  // What the ventilator was told last of the run's end.
  proto::RunLog told() {
    proto::RunLog log;
    for (const auto& message : out.to_ventilator.take_all())
      if (message.has_log()) log = message.log();
    return log;
  }

  Instant now = Instant{} + std::chrono::hours(1);
  std::uint64_t question = 0;
  bool in_groups = false;  // of ten jobs
  RecordingCollectorOutbox out;
  RecordingLedger ledger;
  std::unique_ptr<Collector> collector = std::make_unique<Collector>(CollectorPolicy{}, now);
};

TEST_F(CollectorGoal, TheFirstSuccessEndsTheRunOnceItIsDurable) {
  open("now,success=1");
  sync(5, true);
  bring(3, proto::STATUS_FAILED);
  commit();
  EXPECT_EQ(told().end(), proto::RUN_END_NONE);
  sync(5, true, 1);
  now += std::chrono::milliseconds(17);
  bring(2, proto::STATUS_OK);
  collector->on_tick(now, ledger, out);
  EXPECT_EQ(told().end(), proto::RUN_END_NONE) << "it may be lost yet";
  commit();
  const proto::RunLog log = told();
  EXPECT_EQ(log.end(), proto::RUN_END_GOAL);
  EXPECT_EQ(log.stop_level(), proto::STOP_RUNNING);
  EXPECT_EQ(collector->run_exit_code(), 0);
  const RunSummary summary = collector->summary(now);
  ASSERT_TRUE(summary.winner);
  EXPECT_EQ(summary.winner->job, 2u);
  EXPECT_EQ(summary.winner->input, "input 2");
  EXPECT_EQ(summary.winner->after_us, 117'000u);
  EXPECT_EQ(summary.state, RunState::kCompleted);
}

TEST_F(CollectorGoal, EachGroupIsARace) {
  in_groups = true;
  open("now,success=1");
  sync(30, true);
  bring(3, proto::STATUS_FAILED);
  bring(4, proto::STATUS_OK);
  bring(12, proto::STATUS_OK);
  EXPECT_EQ(told().won_groups_size(), 0) << "it may be lost yet";
  commit();
  proto::RunLog log = told();
  ASSERT_EQ(log.won_groups_size(), 2);
  EXPECT_EQ(log.won_groups(0), "0");
  EXPECT_EQ(log.won_groups(1), "1");
  EXPECT_EQ(log.won_offset(), 2u);
  EXPECT_EQ(log.end(), proto::RUN_END_NONE);
  bring(20, proto::STATUS_FAILED);
  commit();
  EXPECT_EQ(collector->run_exit_code(), 1);
  EXPECT_EQ(collector->summary(now).races->groups, 3u);
  EXPECT_EQ(collector->summary(now).races->won, 2u);

  // In another life all of them are told again.
  KeptRun kept;
  kept.spec.set_run_id(kRun);
  kept.spec.mutable_kind()->mutable_echo();
  kept.spec.mutable_kind()->set_input_format(proto::INPUT_JOB_LINE);
  kept.books = collector->books(now);
  kept.aggregate = collector->kind()->save();
  kept.done.insert(JobSpan{3, 5});
  collector = std::make_unique<Collector>(CollectorPolicy{.epoch = 2}, now);
  ASSERT_TRUE(collector->restore(kept, Duration{0}, now));
  question = 0;
  sync(30, true);
  EXPECT_EQ(told().won_groups_size(), 2);
  bring(21, proto::STATUS_OK);
  commit();
  EXPECT_EQ(collector->run_exit_code(), 0) << "who lost may as well have failed";
}

TEST_F(CollectorGoal, CountsWhatTheCancelledJobsWouldHaveTaken) {
  open("now,success=2");
  sync(10, true);
  bring(0, proto::STATUS_OK, 400'000);
  bring(1, proto::STATUS_FAILED, 200'000);
  bring(2, proto::STATUS_OK, 300'000);
  bring(3, proto::STATUS_CANCELLED, 100'000);
  bring(4, proto::STATUS_CANCELLED, 50'000);
  commit();
  const RunSummary summary = collector->summary(now);
  EXPECT_EQ(summary.winner->job, 2u);
  EXPECT_EQ(summary.winner->saved_us, 2 * 300'000u - 150'000u);
}

TEST_F(CollectorGoal, FailuresHaltTheRun) {
  open("soon,fail=3%");
  sync(50, false);
  bring(0, proto::STATUS_FAILED);
  bring(1, proto::STATUS_FAILED);
  commit();
  EXPECT_EQ(told().end(), proto::RUN_END_NONE) << "a share of what is not known yet";
  sync(50, true, 1);
  collector->on_tick(now, ledger, out);
  const proto::RunLog log = told();
  EXPECT_EQ(log.end(), proto::RUN_END_HALTED);
  EXPECT_EQ(log.stop_level(), proto::STOP_QUEUED);
  EXPECT_EQ(log.end_reason(), "2 jobs failed (--halt soon,fail=3%)");
  EXPECT_EQ(collector->run_exit_code(), 4);
  EXPECT_EQ(collector->summary(now).state, RunState::kHalted);
}

TEST_F(CollectorGoal, DoneCountsEitherAndCompletesTheRun) {
  open("now,done=2");
  sync(50, true);
  bring(0, proto::STATUS_FAILED);
  bring(1, proto::STATUS_OK);
  commit();
  EXPECT_EQ(told().end(), proto::RUN_END_GOAL);
  EXPECT_EQ(collector->run_exit_code(), 0);
  EXPECT_FALSE(collector->summary(now).winner);
}

TEST_F(CollectorGoal, WithoutEnoughSuccessesTheRunFailed) {
  open("now,success=2");
  sync(2, true);
  bring(0, proto::STATUS_FAILED);
  bring(1, proto::STATUS_OK);
  commit();
  sync(2, true, 2);
  EXPECT_EQ(out.ended, 1);
  EXPECT_EQ(collector->run_exit_code(), 1);
  const RunSummary summary = collector->summary(now);
  EXPECT_EQ(summary.state, RunState::kFailed);
  EXPECT_EQ(summary.end_reason, "not enough jobs were ok (--halt now,success=2)");
}

TEST_F(CollectorGoal, ASinkThatCameBackStillKnowsTheGoal) {
  open("now,success=1");
  sync(5, true);
  bring(2, proto::STATUS_OK);
  KeptRun kept;
  kept.spec.set_run_id(kRun);
  kept.spec.mutable_kind()->mutable_echo();
  collector->begin_commit();
  kept.books = collector->books(now);
  kept.aggregate = collector->kind()->save();
  kept.done.insert(JobId{2});
  collector = std::make_unique<Collector>(CollectorPolicy{2}, now);
  ASSERT_TRUE(collector->restore(kept, Duration{0}, now));
  out.to_ventilator.clear();
  proto::VentilatorToSink again = from_ventilator();
  again.mutable_open()->set_protocol_version(1);
  again.mutable_open()->mutable_spec()->set_run_id(kRun);
  collector->on_ventilator(again, now, ledger, out);
  collector->on_tick(now, ledger, out);
  sync(5, true);
  EXPECT_EQ(told().end(), proto::RUN_END_GOAL);
  EXPECT_EQ(collector->summary(now).winner->job, 2u);
}

}  // namespace
}  // namespace fantail
