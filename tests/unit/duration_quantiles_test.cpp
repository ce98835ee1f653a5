#include "sink/duration_quantiles.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

TEST(DurationQuantiles, AreExactWhereDurationsAreShort) {
  DurationQuantiles quantiles;
  for (std::uint64_t value = 0; value < 10; ++value)
    quantiles.add(value);
  EXPECT_EQ(quantiles.at_percent(0), 0u);
  EXPECT_EQ(quantiles.at_percent(50), 5u);
  EXPECT_EQ(quantiles.at_percent(90), 9u);
  EXPECT_EQ(quantiles.at_percent(100), 9u);
}

TEST(DurationQuantiles, AreAtMostASixteenthTooLarge) {
  for (const std::uint64_t value :
       {15ULL, 16ULL, 17ULL, 31ULL, 32ULL, 1000ULL, 123'456'789ULL, 1ULL << 62, ~0ULL}) {
    DurationQuantiles quantiles;
    quantiles.add(value);
    EXPECT_GE(quantiles.at_percent(50), value);
    EXPECT_LE(quantiles.at_percent(50) - value, value / 16);
  }
}

TEST(DurationQuantiles, AFewOutliersDoNotMoveTheMedian) {
  DurationQuantiles quantiles;
  for (int i = 0; i < 100; ++i)
    quantiles.add(i < 10 ? 10'000'000 : 1000);
  EXPECT_LE(quantiles.at_percent(50), 1063u);
  EXPECT_GE(quantiles.at_percent(95), 10'000'000u);
}

}  // namespace
}  // namespace fantail
