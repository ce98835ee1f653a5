// What the collector makes of the ventilator's slot time and of the outcomes' durations.
#include <gtest/gtest.h>

#include "messages.pb.h"
#include "sink/collector.h"
#include "tests/support/recording_outboxes.h"

namespace fantail {
namespace {

constexpr std::uint64_t kSecond = 1'000'000;

class CollectorEfficiency : public testing::Test {
 protected:
  static constexpr const char* kRun = "run-0123456789ab";

  // A ventilator's life.
  void open(std::uint64_t epoch) {
    ventilator = epoch;
    question = 0;
    auto message = from_ventilator();
    message.mutable_open()->set_protocol_version(1);
    message.mutable_open()->mutable_spec()->set_run_id(kRun);
    message.mutable_open()->mutable_spec()->mutable_kind()->mutable_echo();
    tell(message);
  }
  proto::VentilatorToSink from_ventilator() const {
    proto::VentilatorToSink message;
    message.set_run_id(kRun);
    message.set_epoch(ventilator);
    return message;
  }
  void tell(const proto::VentilatorToSink& message) { collector.on_ventilator(message, now, ledger, out); }
  // One slot had jobs for so long in this life, and attempts failed that worked for so long.
  void sync(std::uint64_t busy_us, std::uint64_t retried_us) {
    auto message = from_ventilator();
    message.mutable_sync()->set_question(++question);
    message.mutable_sync()->set_spooled(10);
    proto::RunFacts& facts = *message.mutable_sync()->mutable_facts();
    facts.set_since_first_dispatch_us(busy_us);
    facts.mutable_slot_time()->add_slots_us(busy_us);
    facts.mutable_slot_time()->add_binding_us(busy_us);
    facts.mutable_slot_time()->set_workers_us(busy_us);
    facts.set_retried_us(retried_us);
    tell(message);
  }
  void bring(JobId job, proto::Status status, std::uint64_t duration_us) {
    proto::Results results;
    results.set_run_id(kRun);
    results.set_worker_id("worker-id-012345");
    results.set_first_job(job);
    results.set_count(1);
    append_to(*results.mutable_inputs(), "input");
    results.add_statuses(status);
    results.add_duration_us(duration_us);
    collector.on_results(results, now, ledger);
  }
  std::uint64_t part(SlotPart part) const { return collector.summary(now).efficiency->part_us(part); }

  Instant now = Instant{} + std::chrono::hours(1);
  std::uint64_t ventilator = 0;
  std::uint64_t question = 0;
  RecordingCollectorOutbox out;
  RecordingLedger ledger;
  Collector collector{CollectorPolicy{}, now};
};

TEST_F(CollectorEfficiency, IsNotKnownBeforeAnythingWasDispatched) {
  open(2);
  EXPECT_FALSE(collector.summary(now).efficiency);
}

TEST_F(CollectorEfficiency, WorkIsSplitByWhatBecameOfIt) {
  open(2);
  sync(10 * kSecond, kSecond);
  bring(0, proto::STATUS_OK, 3 * kSecond);
  bring(1, proto::STATUS_FAILED, 2 * kSecond);
  bring(2, proto::STATUS_CANCELLED, kSecond / 2);
  bring(3, proto::STATUS_EXPIRED, kSecond / 2);
  EXPECT_EQ(part(SlotPart::kWorking), 5 * kSecond);
  EXPECT_EQ(part(SlotPart::kCancelled), kSecond);
  EXPECT_EQ(part(SlotPart::kRetried), kSecond);
  EXPECT_EQ(part(SlotPart::kNetwork), 3 * kSecond);
  EXPECT_EQ(collector.summary(now).efficiency->total_us(), 10 * kSecond);
}

TEST_F(CollectorEfficiency, TheVentilatorsLivesAddUp) {
  open(2);
  sync(4 * kSecond, kSecond);
  now += std::chrono::seconds(6);
  // Two seconds after the last word of the first life.
  open(3);
  sync(3 * kSecond, kSecond);
  sync(4 * kSecond, 2 * kSecond);
  bring(0, proto::STATUS_OK, 5 * kSecond);
  EXPECT_EQ(part(SlotPart::kRetried), 3 * kSecond);
  EXPECT_EQ(part(SlotPart::kWorking), 5 * kSecond);
  EXPECT_EQ(part(SlotPart::kVentilator), 2 * kSecond);
  EXPECT_EQ(collector.summary(now).efficiency->total_us(), 10 * kSecond);
}

TEST_F(CollectorEfficiency, OutlivesTheSink) {
  open(2);
  sync(4 * kSecond, kSecond);
  bring(0, proto::STATUS_OK, 2 * kSecond);
  KeptRun kept;
  kept.spec.set_run_id(kRun);
  kept.spec.mutable_kind()->mutable_echo();
  kept.books = collector.books(now);
  kept.aggregate = collector.kind()->save();
  Collector restarted{CollectorPolicy{}, now};
  ASSERT_TRUE(restarted.restore(kept, Duration{0}, now));
  EXPECT_EQ(restarted.summary(now).efficiency->parts_us, collector.summary(now).efficiency->parts_us);
}

}  // namespace
}  // namespace fantail
