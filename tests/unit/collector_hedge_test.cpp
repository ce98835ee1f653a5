// What a sink tells of a hedged run, and what it makes of two copies.
#include <gtest/gtest.h>

#include "messages.pb.h"
#include "sink/collector.h"
#include "tests/support/job_ranges.h"
#include "tests/support/recording_outboxes.h"

namespace fantail {
namespace {

class CollectorHedge : public testing::Test {
 protected:
  static constexpr const char* kRun = "run-0123456789ab";

  void SetUp() override { open(2); }
  void open(std::uint64_t epoch) {
    ventilator = epoch;
    question = 0;
    auto message = from_ventilator();
    message.mutable_open()->set_protocol_version(1);
    proto::RunSpec& spec = *message.mutable_open()->mutable_spec();
    spec.set_run_id(kRun);
    spec.mutable_kind()->mutable_echo();
    spec.mutable_policy()->mutable_hedge()->set_limit_percent(5);
    tell(message);
  }
  proto::VentilatorToSink from_ventilator() const {
    proto::VentilatorToSink message;
    message.set_run_id(kRun);
    message.set_epoch(ventilator);
    return message;
  }
  void tell(const proto::VentilatorToSink& message) { collector.on_ventilator(message, now, ledger, out); }
  // One outcome, committed at once.
  void bring(JobId job, const std::string& worker, std::uint64_t duration_us, bool copy = false) {
    proto::Results results;
    results.set_run_id(kRun);
    results.set_worker_id(worker);
    results.set_sequence(++sequence);
    results.set_first_job(job);
    results.set_count(1);
    append_to(*results.mutable_inputs(), "input");
    results.add_duration_us(duration_us);
    if (copy) put_ranges({{job, job + 1}}, results.mutable_copies());
    collector.on_results(results, now, ledger);
    commit();
  }
  void commit() {
    collector.begin_commit();
    collector.on_committed(now, out);
  }
  // The answer to a question of one that knows nothing yet.
  proto::RunLog ask(proto::Hedged hedged = {}) {
    auto message = from_ventilator();
    proto::RunSync& sync = *message.mutable_sync();
    sync.set_question(++question);
    sync.set_spooled(100);
    *sync.mutable_facts()->mutable_hedged() = hedged;
    out.to_ventilator.clear();
    tell(message);
    return out.to_ventilator.take().log();
  }

  Instant now = Instant{} + std::chrono::hours(1);
  std::uint64_t ventilator = 0;
  std::uint64_t question = 0;
  std::uint64_t sequence = 0;
  RecordingCollectorOutbox out;
  RecordingLedger ledger;
  Collector collector{CollectorPolicy{}, now};
};

TEST_F(CollectorHedge, TellsHowLongJobsTakeOnceThereAreTen) {
  for (JobId job = 0; job < 9; ++job)
    bring(job, "worker-a", 10);
  proto::RunLog log = ask();
  EXPECT_EQ(log.p95_us(), 0u);
  EXPECT_EQ(log.median_us(), 0u);
  EXPECT_EQ(log.work_us(), 90u);
  bring(9, "worker-a", 15);
  log = ask();
  EXPECT_EQ(log.median_us(), 10u);
  EXPECT_EQ(log.p95_us(), 15u);
  EXPECT_EQ(log.work_us(), 105u);
}

TEST_F(CollectorHedge, PassesOnWhatCopiesBrought) {
  bring(0, "worker-a", 10);
  bring(1, "worker-b", 10, true);
  EXPECT_EQ(get_ranges(ask().by_copies()), (Spans{{1, 2}}));
}

TEST_F(CollectorHedge, ACopyThatComesTooLateIsNoDuplicate) {
  bring(0, "worker-a", 10);
  bring(0, "worker-b", 10, true);
  bring(1, "worker-b", 10, true);
  bring(1, "worker-a", 10);
  EXPECT_EQ(collector.summary(now).duplicates, 0u);
  EXPECT_EQ(collector.summary(now).jobs.ok, 2u);
  bring(2, "worker-a", 10);
  bring(2, "worker-a", 10);
  EXPECT_EQ(collector.summary(now).duplicates, 1u);
}

TEST_F(CollectorHedge, AProposalMayNameWhoWorkedOnIt) {
  auto message = from_ventilator();
  proto::Results& results = *message.mutable_proposal();
  results.set_run_id(kRun);
  results.set_worker_id("worker-id-012345");
  results.set_count(1);
  append_to(*results.mutable_inputs(), "input");
  append_to(*results.mutable_payloads(), "what it found");
  results.add_statuses(proto::STATUS_FAILED);
  tell(message);
  commit();
  const auto record = ledger.records.take();
  EXPECT_EQ(record.payload, "what it found");
  EXPECT_FALSE(record.worker.empty());
  EXPECT_TRUE(out.to_worker.empty()) << "the worker does not wait for it";
}

TEST_F(CollectorHedge, AddsUpWhatTheVentilatorsLivesTell) {
  proto::Hedged hedged;
  hedged.set_copies(3);
  hedged.set_won(2);
  hedged.set_extra_us(70);
  hedged.set_lost_us(90);
  bring(0, "worker-a", 10);
  EXPECT_EQ(ask(hedged).former_hedged().copies(), 0u);
  open(3);
  const proto::RunLog log = ask(hedged);
  EXPECT_EQ(log.former_hedged().copies(), 3u);
  EXPECT_EQ(log.former_hedged().extra_us(), 70u);
  const auto summary = collector.summary(now);
  ASSERT_TRUE(summary.hedged);
  EXPECT_EQ(summary.hedged->copies, 6u);
  EXPECT_EQ(summary.hedged->won, 4u);
  EXPECT_EQ(summary.hedged->extra_us, 140u);
  EXPECT_EQ(summary.hedged->lost_us, 180u);
}

}  // namespace
}  // namespace fantail
