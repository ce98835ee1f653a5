#include "sink/progress.h"

#include <gtest/gtest.h>

#include <limits>

#include "sink/writers/text.h"

namespace fantail {
namespace {

using namespace std::chrono_literals;

RunSummary half_done() {
  RunSummary run;
  run.jobs.submitted = 1000;
  run.jobs.ok = 628;
  run.jobs.failed = 4;
  run.running = 8;
  run.workers_now = 4;
  run.total_known = true;
  return run;
}

Progress at_rate(std::uint64_t per_second) {
  Progress progress;
  for (std::uint64_t second = 0; second <= 5; ++second)
    progress.sample(std::chrono::seconds(second), second * per_second);
  return progress;
}

TEST(Progress, ShowsAPlainLine) {
  EXPECT_EQ(at_rate(1204).plain(half_done(), 5s),
            "63% 632/1000 ok=628 failed=4 running=8 rate=1204/s eta=1s elapsed=5s");
}

TEST(Progress, ShowsAPlainLineWithoutTotal) {
  RunSummary run = half_done();
  run.total_known = false;
  run.jobs.cancelled = 2;
  run.jobs.expired = 1;
  EXPECT_EQ(at_rate(7).plain(run, 125s),
            "635 done ok=628 failed=4 cancelled=2 expired=1 running=8 rate=7.0/s elapsed=2m05s");
}

TEST(Progress, ShowsABar) {
  EXPECT_EQ(at_rate(123).line(half_done(), 5s, 90, true, false),
            "███████░░░░░   63%  632/1,000  123/s  628 ok  4 failed  8 running  4 workers  ETA 3s  0:05");
  EXPECT_EQ(at_rate(123).line(half_done(), 5s, 85, false, false),
            "[######-----]   63%  632/1,000  123/s  628 ok  4 failed  8 running  4 workers  ETA 3s");
}

TEST(Progress, KeepsTheBarOnCommonTerminals) {
  EXPECT_EQ(at_rate(123).line(half_done(), 5s, 80, true, false),
            "█████░░░   63%  632/1,000  123/s  628 ok  4 failed  8 running  4 workers  ETA 3s");
  EXPECT_EQ(at_rate(123).line(half_done(), 5s, 60, true, false),
            "███████████░░░░░░░   63%  632/1,000  123/s  4 failed  ETA 3s");
  EXPECT_EQ(at_rate(123).line(half_done(), 5s, 59, true, false),
            " 63%  632/1,000  123/s  4 failed  8 running  ETA 3s");
}

TEST(Progress, ShowsTheElapsedTimeAsAClock) {
  RunSummary run = half_done();
  run.total_known = false;
  EXPECT_TRUE(Progress().line(run, 0s, 100, true, false).ends_with("  0:00"));
  EXPECT_TRUE(Progress().line(run, 59min + 59s, 100, true, false).ends_with("  59:59"));
  EXPECT_TRUE(Progress().line(run, 1h + 2min + 3s, 100, true, false).ends_with("  1:02:03"));
  EXPECT_TRUE(Progress().line(run, 100h, 100, true, false).ends_with("  100:00:00"));
}

TEST(Progress, ColoursBarAndFailures) {
  RunSummary run = half_done();
  const std::string line = at_rate(123).line(run, 5s, 90, true, true);
  EXPECT_TRUE(line.starts_with("\x1b[32m█")) << line;
  EXPECT_NE(line.find("\x1b[31m4 failed\x1b[0m"), std::string::npos) << line;
  run.jobs.failed = 0;
  EXPECT_EQ(at_rate(123).line(run, 5s, 90, true, true).find("\x1b[31m"), std::string::npos);
}

TEST(Progress, ShowsNeitherBarNorForecastWithoutTotal) {
  RunSummary run = half_done();
  run.total_known = false;
  EXPECT_EQ(at_rate(123).line(run, 65s, 100, true, false),
            "632 done  123/s  628 ok  4 failed  8 running  4 workers  1:05");
}

TEST(Progress, NeverExceedsTheWidthAndLeavesOutTheLeastImportant) {
  RunSummary run = half_done();
  for (const bool known : {true, false}) {
    run.total_known = known;
    for (const bool unicode : {true, false}) {
      for (unsigned width = 0; width < 200; ++width)
        EXPECT_LE(display_width(at_rate(123).line(run, 5s, width, unicode, false)), width);
    }
  }
  run.total_known = true;
  EXPECT_EQ(at_rate(123).line(run, 5s, 35, true, false), " 63%  632/1,000  4 failed  ETA 3s");
  EXPECT_EQ(at_rate(123).line(run, 5s, 9, true, false), "632/1,000");
  EXPECT_EQ(at_rate(123).line(run, 5s, 3, true, false), "632");
}

TEST(Progress, TakesTheRateOfTheLastSeconds) {
  Progress progress;
  for (int tick = 0; tick <= 100; ++tick)
    progress.sample(tick * 100ms, static_cast<std::uint64_t>(tick < 50 ? tick * 100 : 5000 + (tick - 50)));
  EXPECT_NE(progress.plain(half_done(), 10s).find("rate=10/s"), std::string::npos)
      << progress.plain(half_done(), 10s);
}

TEST(Progress, KnowsNoRateBeforeTheSecondSample) {
  Progress progress;
  EXPECT_NE(progress.plain(half_done(), 1s).find("rate=0/s eta=-"), std::string::npos);
  progress.sample(0s, 500);
  EXPECT_NE(progress.plain(half_done(), 1s).find("rate=0/s eta=-"), std::string::npos);
  progress.sample(10s, 540);
  EXPECT_NE(progress.plain(half_done(), 10s).find("rate=4.0/s eta=1m32s"), std::string::npos)
      << progress.plain(half_done(), 10s);
}

TEST(Progress, AveragesManySamplesAtShortDistances) {
  Progress progress;
  for (std::uint64_t millisecond = 0; millisecond <= 20'000; ++millisecond)
    progress.sample(std::chrono::milliseconds(millisecond), millisecond);
  EXPECT_NE(progress.plain(half_done(), 20s).find("rate=1000/s"), std::string::npos);
}

TEST(Progress, StandsStillWhenNothingIsDone) {
  Progress progress = at_rate(100);
  for (int second = 6; second <= 12; ++second)
    progress.sample(std::chrono::seconds(second), 500);
  EXPECT_NE(progress.plain(half_done(), 12s).find("rate=0/s eta=-"), std::string::npos);
}

TEST(Progress, RoundsToHundredPercentOnlyWhenAllIsDone) {
  RunSummary run = half_done();
  run.jobs.submitted = 10'000'000'000'000'000;
  run.jobs.ok = run.jobs.submitted - 5;
  EXPECT_TRUE(Progress().plain(run, 1s).starts_with("99% "));
  run.jobs.ok += 1;
  EXPECT_TRUE(Progress().plain(run, 2h).starts_with("100% "));
  EXPECT_TRUE(Progress().plain(run, 2h).ends_with("eta=0s elapsed=2h00m"));
  run.jobs = {};
  EXPECT_TRUE(Progress().plain(run, 0s).starts_with("100% 0/0 "));
}

}  // namespace
}  // namespace fantail
