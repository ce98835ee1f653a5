#include <gtest/gtest.h>

#include "sink/options.h"

namespace fantail {
namespace {

TEST(SinkOptions, FilesMayBeNamedAfterTheRun) {
  OutputOptions options;
  options.output = "{run}/rows-{run}.jsonl";
  options.report = "report.json";
  options.joblog = "log-{run}";
  EXPECT_TRUE(names_run(options));
  const OutputOptions named = with_run(options, "01JD3K7Q5W8XVYB2M4N6P8R0ST");
  EXPECT_EQ("01JD3K7Q5W8XVYB2M4N6P8R0ST/rows-01JD3K7Q5W8XVYB2M4N6P8R0ST.jsonl", named.output);
  EXPECT_EQ("report.json", named.report);
  EXPECT_EQ("log-01JD3K7Q5W8XVYB2M4N6P8R0ST", named.joblog);
  EXPECT_FALSE(names_run(named));
}

TEST(SinkOptions, OtherNamesStayAsTheyAre) {
  OutputOptions options;
  options.output = "{runs}-{}.jsonl";
  options.report = "-";
  EXPECT_FALSE(names_run(options));
  EXPECT_EQ("{runs}-{}.jsonl", with_run(options, "01JD3K7Q5W8XVYB2M4N6P8R0ST").output);
}

}  // namespace
}  // namespace fantail
