#include "pipeline/halt.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

TEST(Halt, IsReadAndWritten) {
  for (const char* text : {"now,fail=1", "soon,fail=3%", "now,success=1", "soon,done=50", "now,done=100%"}) {
    const auto halt = parse_halt(text);
    ASSERT_TRUE(halt) << text;
    EXPECT_EQ(format_halt(*halt), text);
  }
  const auto halt = parse_halt("soon,fail=3%");
  EXPECT_EQ(halt->level(), proto::STOP_QUEUED);
  EXPECT_EQ(halt->what(), proto::Halt::FAILED);
  EXPECT_EQ(halt->percent(), 3u);
}

TEST(Halt, RefusesAnythingElse) {
  for (const char* text : {"", "now", "now,", "fail=1", "later,fail=1", "now,fail", "now,fail=", "now,fail=0",
                           "now,fail=-1", "now,fail=1.5", "now,fail=101%", "now,fail=%", "now,fails=1",
                           "now,fail=1 ", "now,failsuccess=1", "now,fail=99999999999999999999"}) {
    EXPECT_FALSE(parse_halt(text)) << text;
  }
}

TEST(Halt, SharesCountOnceTheTotalIsKnown) {
  const auto share = *parse_halt("now,fail=3%");
  EXPECT_EQ(jobs_to_halt(share, std::nullopt), std::nullopt);
  EXPECT_EQ(jobs_to_halt(share, 0), 1u);
  EXPECT_EQ(jobs_to_halt(share, 33), 1u);
  EXPECT_EQ(jobs_to_halt(share, 34), 2u);
  EXPECT_EQ(jobs_to_halt(share, 100), 3u);
  EXPECT_EQ(jobs_to_halt(*parse_halt("now,fail=100%"), UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(jobs_to_halt(*parse_halt("now,fail=7"), std::nullopt), 7u);
  EXPECT_EQ(jobs_to_halt({}, 100), std::nullopt);
}

}  // namespace
}  // namespace fantail
