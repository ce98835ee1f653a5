// When a job is late, what copies may cost, and who has to stop.
#include "ventilator/hedging.h"

#include <gtest/gtest.h>

#include "tests/support/job_ranges.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HedgingTest : public testing::Test {
 protected:
  static proto::HedgePolicy policy(std::uint32_t percent, std::uint32_t limit) {
    proto::HedgePolicy policy;
    policy.set_percent(percent);
    policy.set_limit_percent(limit);
    return policy;
  }
  void learn(Duration p95, Duration work) {
    proto::RunLog log;
    log.set_p95_us(static_cast<std::uint64_t>(p95.count()));
    log.set_work_us(static_cast<std::uint64_t>(work.count()));
    hedging.learn(log);
  }
  Lease lease(JobId job, const WorkerId& worker, std::uint64_t sequence = 2) const {
    return {{job, job + 1}, worker, sequence, 1, now};
  }
  Spans discarded(const WorkerId& worker) const { return hedging.discarded_by(worker).spans(); }
  proto::Hedged facts() const {
    proto::Hedged facts;
    hedging.put(now, facts);
    return facts;
  }
  Instant now = Instant{} + std::chrono::hours(1);
  Hedging hedging{true, policy(0, 10)};
};

TEST_F(HedgingTest, ItIsNotKnownWhatIsLateBeforeTheSinkTells) {
  EXPECT_FALSE(hedging.patience());
  learn(Duration{0}, seconds(1));
  EXPECT_FALSE(hedging.patience());
  learn(seconds(3), seconds(1));
  EXPECT_EQ(hedging.patience(), seconds(3));
  learn(Duration{0}, seconds(1));
  EXPECT_EQ(hedging.patience(), seconds(3)) << "a sink that began anew has to see some first";
  learn(Duration{7}, seconds(1));
  EXPECT_EQ(hedging.patience(), milliseconds(5)) << "word of a job's end takes some time";
}

TEST_F(HedgingTest, APercentageIsOfTheMedian) {
  Hedging of_median(true, policy(250, 10));
  proto::RunLog log;
  log.set_median_us(400'000);
  log.set_p95_us(7'000'000);
  of_median.learn(log);
  EXPECT_EQ(of_median.patience(), seconds(1));
}

TEST_F(HedgingTest, OneCopyThereMayAlwaysBe) {
  learn(seconds(1), Duration{0});
  EXPECT_TRUE(hedging.affords_copy(now));
  hedging.add(lease(0, "b"));
  EXPECT_FALSE(hedging.affords_copy(now));
  now += seconds(100);
  EXPECT_FALSE(hedging.too_expensive(now)) << "and however long it takes";
}

TEST_F(HedgingTest, OthersMustBePaid) {
  learn(seconds(1), seconds(19));
  hedging.add(lease(0, "b"));
  EXPECT_FALSE(hedging.affords_copy(now)) << "each costs what is no straggler at least";
  learn(seconds(1), seconds(20));
  EXPECT_TRUE(hedging.affords_copy(now));
  now += milliseconds(1500);
  EXPECT_FALSE(hedging.affords_copy(now));
  hedging.end(0, now);
  EXPECT_EQ(facts().extra_us(), 1'500'000u);
  EXPECT_FALSE(hedging.affords_copy(now)) << "what is spent stays spent";
  learn(seconds(1), seconds(25));
  EXPECT_TRUE(hedging.affords_copy(now));
}

TEST_F(HedgingTest, WhatAFormerLifeSpentIsSpent) {
  proto::RunLog log;
  log.set_p95_us(1'000'000);
  log.set_work_us(20'000'000);
  log.mutable_former_hedged()->set_copies(1);
  log.mutable_former_hedged()->set_extra_us(1'200'000);
  hedging.learn(log);
  EXPECT_FALSE(hedging.affords_copy(now));
  EXPECT_EQ(facts().copies(), 0u) << "each life tells its own";
}

TEST_F(HedgingTest, TheOldestIsTakenBackWhenItBecomesTooExpensive) {
  learn(seconds(1), seconds(40));
  hedging.add(lease(0, "b"));
  now += seconds(1);
  hedging.add(lease(1, "c"));
  EXPECT_FALSE(hedging.too_expensive(now));
  now += milliseconds(2001);
  ASSERT_EQ(hedging.too_expensive(now), 0u);
  hedging.take_back(0);
  EXPECT_EQ(hedging.take_untold(), (std::set<WorkerId>{"b"}));
  EXPECT_EQ(discarded("b"), (Spans{{0, 1}}));
  EXPECT_EQ(hedging.find(1)->held, true);
  EXPECT_EQ(hedging.find(0)->held, false) << "and the attempt has had its copy";
}

TEST_F(HedgingTest, WhoLostIsToldUntilItDoesNotHoldTheJob) {
  learn(seconds(1), seconds(40));
  const Lease first = lease(0, "a");
  now += seconds(2);
  hedging.add(lease(0, "b", 5));
  now += seconds(1);
  hedging.on_done(0, first, true, now);
  EXPECT_EQ(hedging.take_untold(), (std::set<WorkerId>{"a", "b"}));
  EXPECT_TRUE(hedging.take_untold().empty());
  EXPECT_EQ(facts().won(), 1u);
  EXPECT_EQ(facts().extra_us(), 1'000'000u);
  EXPECT_EQ(facts().lost_us(), 3'000'000u);
  now += milliseconds(100);
  RangeSet holding;
  holding.insert(0);
  hedging.reconcile("a", holding, 9, now);
  EXPECT_EQ(discarded("a"), (Spans{{0, 1}}));
  hedging.reconcile("a", {}, 9, now);
  EXPECT_TRUE(discarded("a").empty());
  now += seconds(1);
  EXPECT_EQ(facts().lost_us(), 3'100'000u);
  EXPECT_EQ(facts().extra_us(), 1'000'000u);
}

TEST_F(HedgingTest, ACopyThatLostIsExtraUntilItHasStopped) {
  learn(seconds(1), seconds(40));
  hedging.add(lease(0, "b", 5));
  now += seconds(1);
  hedging.on_done(0, lease(0, "a"), false, now);
  now += seconds(1);
  hedging.reconcile("b", {}, 4, now);
  EXPECT_EQ(discarded("b"), (Spans{{0, 1}})) << "it is still on its way there";
  hedging.reconcile("b", {}, 5, now);
  now += seconds(1);
  EXPECT_EQ(facts().won(), 0u);
  EXPECT_EQ(facts().extra_us(), 2'000'000u);
  EXPECT_EQ(facts().lost_us(), 2'000'000u);
}

TEST_F(HedgingTest, ACopyThatIsLeftIsTheJobsLease) {
  learn(seconds(1), seconds(40));
  EXPECT_FALSE(hedging.promote(0, now));
  hedging.add(lease(0, "b", 5));
  now += seconds(1);
  const auto left = hedging.promote(0, now);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->worker, "b");
  EXPECT_FALSE(hedging.any_held());
  EXPECT_NE(hedging.find(0), nullptr) << "the attempt has had its copy";
  hedging.on_done(0, left, true, now + seconds(5));
  EXPECT_TRUE(hedging.take_untold().empty());
  EXPECT_EQ(facts().extra_us(), 1'000'000u) << "from then on nobody else worked on it";
  EXPECT_EQ(facts().won(), 1u);
}

}  // namespace
}  // namespace fantail
