#include "pipeline/rate.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

TEST(Rate, IsPerSecond) {
  EXPECT_EQ(parse_rate("100/s"), 100.0);
  EXPECT_EQ(parse_rate("100"), 100.0);
  EXPECT_EQ(parse_rate("30/m"), 0.5);
  EXPECT_EQ(parse_rate("36/h"), 0.01);
  EXPECT_EQ(parse_rate("2.5/s"), 2.5);
}

TEST(Rate, RefusesAnythingElse) {
  for (const char* text :
       {"", "/s", "0", "0/s", "-1/s", "1/d", "1/", "1/ss", " 1", "1e3", "nan", "inf", "1e99"})
    EXPECT_FALSE(parse_rate(text)) << text;
}

}  // namespace
}  // namespace fantail
