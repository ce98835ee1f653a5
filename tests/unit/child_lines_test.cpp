// Lines out of what a process writes.
#include <gtest/gtest.h>

#include "worker/child/error_lines.h"
#include "worker/child/line_buffer.h"

namespace fantail {
namespace {

TEST(LineBuffer, GivesLinesOnceTheyAreWhole) {
  LineBuffer lines;
  EXPECT_EQ(lines.take_line(), std::nullopt);
  lines.append("on");
  EXPECT_EQ(lines.take_line(), std::nullopt);
  lines.append("e\n\ntwo\nth");
  EXPECT_EQ(lines.take_line(), "one");
  EXPECT_EQ(lines.take_line(), "");
  EXPECT_EQ(lines.take_line(), "two");
  EXPECT_EQ(lines.take_line(), std::nullopt);
  EXPECT_EQ(lines.size(), 2U);
  lines.append("ree\n");
  EXPECT_EQ(lines.take_line(), "three");
  EXPECT_EQ(lines.size(), 0U);
}

TEST(ErrorLines, GoOnAsWholeLines) {
  ErrorLines lines;
  EXPECT_EQ(lines.take("a"), "");
  EXPECT_EQ(lines.last_line(), "");
  EXPECT_EQ(lines.take("b\ncd\nrest"), "ab\ncd\n");
  EXPECT_EQ(lines.last_line(), "cd");
  EXPECT_EQ(lines.take(" \n \n\n"), "rest \n \n\n");
  EXPECT_EQ(lines.last_line(), "rest");
  EXPECT_EQ(lines.take("end"), "");
  EXPECT_EQ(lines.take_rest(), "end\n");
  EXPECT_EQ(lines.last_line(), "end");
  EXPECT_EQ(lines.take_rest(), "");
}

TEST(ErrorLines, HoldNoMoreThanTheyMay) {
  ErrorLines lines;
  EXPECT_EQ(lines.take(std::string(ErrorLines::kHeldBytesMax, 'x')), "");
  EXPECT_EQ(lines.take("x").size(), ErrorLines::kHeldBytesMax + 2) << "with a line's end";
  EXPECT_EQ(lines.last_line(), std::string(ErrorLines::kLastLineBytesMax, 'x'));
}

}  // namespace
}  // namespace fantail
