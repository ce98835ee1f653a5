#include "ventilator/start_rate.h"

#include <gtest/gtest.h>

#include <vector>

namespace fantail {
namespace {

using std::chrono::milliseconds;

const Instant kBegin = Instant{} + std::chrono::hours(1);

TEST(StartRate, WithoutALimitAllowsAnything) {
  StartRate rate(0);
  EXPECT_FALSE(rate.limits());
  rate.take(1000, kBegin);
  EXPECT_EQ(rate.allowed(kBegin), UINT64_MAX);
  EXPECT_EQ(rate.next_wake(), kNever);
}

// Takes what it may at every step; returns when.
std::vector<Instant> starts(StartRate& rate, Duration step, Duration lasts) {
  std::vector<Instant> when;
  for (Instant now = kBegin; now < kBegin + lasts; now += step) {
    for (; rate.allowed(now) > 0; rate.take(1, now))
      when.push_back(now);
  }
  return when;
}

TEST(StartRate, SpreadsJobsEvenlyHoweverOftenItIsAsked) {
  for (const Duration step : {Duration(100), Duration(milliseconds(1)), Duration(milliseconds(30))}) {
    StartRate rate(50);
    const std::vector<Instant> when = starts(rate, step, std::chrono::seconds(4));
    EXPECT_NEAR(static_cast<double>(when.size()), 200, 4);
    for (std::size_t i = 0; i + 55 < when.size(); ++i)
      EXPECT_GE(when[i + 55] - when[i], std::chrono::seconds(1)) << "no second holds more than 55";
  }
}

TEST(StartRate, CatchesUpOnlyAShortHoldUp) {
  StartRate rate(100);
  rate.take(1, kBegin);
  EXPECT_EQ(rate.allowed(kBegin), 0u);
  EXPECT_EQ(rate.next_wake(), kBegin + milliseconds(10));
  EXPECT_EQ(rate.allowed(kBegin + milliseconds(10)), 1u);
  EXPECT_EQ(rate.allowed(kBegin + milliseconds(40)), 4u);
  EXPECT_EQ(rate.allowed(kBegin + std::chrono::hours(1)), 6u);
}

TEST(StartRate, AllowsManyAtATimeWhereTheRateIsHigh) {
  StartRate rate(1e6);
  rate.take(1, kBegin);
  EXPECT_NEAR(static_cast<double>(rate.allowed(kBegin + milliseconds(1))), 1000, 1);
}

}  // namespace
}  // namespace fantail
