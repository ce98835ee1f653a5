#include "sink/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "kinds.pb.h"
#include "outcome_support.h"
#include "pipeline/number.h"
#include "sink/kinds/files.h"
#include "sink/kinds/prices.h"
#include "sink/kinds/urls.h"

namespace fantail {
namespace {

RunSummary run_of(std::uint64_t ok, std::uint64_t failed) {
  RunSummary run;
  run.jobs.submitted = ok + failed;
  run.jobs.ok = ok;
  run.jobs.failed = failed;
  run.started_jobs = ok + failed;
  run.wall_us = 456'000;
  run.work_us = 2'240'000;
  return run;
}

std::unique_ptr<Kind> twenty_files() {
  auto kind = make_files_kind({});
  proto::FilesResult result;
  result.set_size(892 * 1024);
  result.set_words(48'234);
  result.set_lines(5'678);
  const std::string payload = result.SerializeAsString();
  kind->add(make_outcome(0, Status::kOk, "a", payload));
  return kind;
}

std::unique_ptr<Kind> prices(int vendors, bool in_stock) {
  auto kind = make_prices_kind();
  for (int i = 0; i < vendors; ++i) {
    proto::PricesResult result;
    result.set_has_price(true);
    result.set_minor_units(6245 + i);
    result.set_minor_digits(2);
    result.set_currency("USD");
    result.set_in_stock(in_stock);
    const std::string payload = result.SerializeAsString();
    const std::string input = "B0001@" + (i == 0 ? "BestBuy" : "vendor" + std::to_string(i));
    kind->add(make_outcome(static_cast<std::uint64_t>(i), Status::kOk, input, payload));
  }
  return kind;
}

TEST(Summary, OfFiles) {
  EXPECT_EQ(make_summary(run_of(19, 1), *twenty_files()),
            "20 files: 19 ok, 1 failed · 892 KiB, 48,234 words, 5,678 lines · 112 ms average · 456 ms wall, "
            "2.24 s of work, 4.9x\n");
}

TEST(Summary, InAscii) {
  EXPECT_EQ(make_summary(run_of(19, 1), *twenty_files(), Charset::kAscii),
            "20 files: 19 ok, 1 failed - 892 KiB, 48,234 words, 5,678 lines - 112 ms average - 456 ms wall, "
            "2.24 s of work, 4.9x\n");
}

TEST(Summary, HasOnlyAsciiForTimesBelowAMillisecond) {
  RunSummary run = run_of(20, 0);
  run.work_us = 900;
  run.wall_us = 700;
  for (const char c : make_summary(run, *twenty_files(), Charset::kAscii)) {
    EXPECT_LT(static_cast<unsigned char>(c), 0x80);
  }
}

TEST(Summary, OfUrls) {
  const auto kind = make_urls_kind();
  proto::UrlsResult page;
  page.set_status_code(200);
  page.set_words(3456);
  page.set_bytes(120 * 1024);
  for (int i = 0; i < 78; ++i)
    page.add_links("http://a.example/");
  const std::string payload = page.SerializeAsString();
  kind->add(make_outcome(0, Status::kOk, "http://a.example/", payload));
  RunSummary run = run_of(10, 2);
  run.work_us = 1'200'000;
  EXPECT_EQ(make_summary(run, *kind),
            "12 pages: 10 ok, 2 failed · 3,456 words, 78 links, 120 KiB · 100 ms average · 456 ms wall, "
            "1.20 s of work, 2.6x\n");
}

TEST(Summary, OfPricesEndsWithTheBest) {
  EXPECT_EQ(make_summary(run_of(5, 1), *prices(5, true)),
            "6 quotes: 5 ok, 1 failed · 373 ms average · 456 ms wall, 2.24 s of work, 4.9x\n"
            "best: BestBuy at USD 62.45\n");
  EXPECT_EQ(make_summary(run_of(5, 1), *prices(5, false)),
            "6 quotes: 5 ok, 1 failed · 373 ms average · 456 ms wall, 2.24 s of work, 4.9x\n"
            "best: none in stock (5 quotes)\n");
}

TEST(Summary, TellsOfCopies) {
  RunSummary run = run_of(19, 1);
  run.hedged = {12, 9, 1'250'000, 0};
  EXPECT_TRUE(make_summary(run, *twenty_files())
                  .ends_with("\nhedged: 12 copies, 9 of them came first; 1.25 s of extra work\n"));
  run.hedged = RunSummary::Hedged{};
  EXPECT_EQ(make_summary(run, *twenty_files()).find("hedged"), std::string::npos);
}

TEST(Summary, TellsHowWellTheSlotsWereUsed) {
  RunSummary run = run_of(19, 1);
  Efficiency& efficiency = run.efficiency.emplace();
  efficiency.slots = 8.04;
  efficiency.parts_us = {8'560, 0, 0, 20, 200, 0, 0, 300, 0, 0, 0, 0, 100, 820};
  efficiency.one_more_worker = {1.38, 100};
  const auto last_line = [&run] {
    const std::string text = make_summary(run, *twenty_files());
    return text.substr(text.find('\n') + 1);
  };
  EXPECT_EQ(last_line(),
            "efficiency: 86 % of 8 slots x 456 ms worked; lost: 8 % tail, 3 % max_running, 2 % network; "
            "bound by workers: one more would bring 1.4x\n");
  efficiency.slots = 1.25;
  efficiency.parts_us = {100'000, 1};
  efficiency.binding = SlotPart::kTail;
  EXPECT_EQ(last_line(), "efficiency: 100 % of 1.3 slots x 456 ms worked; bound by tail\n");
  efficiency.slots = 1;
  EXPECT_EQ(last_line(), "efficiency: 100 % of 1 slot x 456 ms worked; bound by tail\n");
  run.started_jobs = 0;
  EXPECT_EQ(last_line(), "");
}

TEST(Summary, ShowsAtMostTwentyProducts) {
  const auto kind = make_prices_kind();
  for (std::uint64_t job = 0; job < 1300; ++job) {
    const std::string input = "product" + std::to_string(job) + "@vendor";
    kind->add(make_outcome(job, Status::kFailed, input));
  }
  const std::string text = make_summary(run_of(0, 1300), *kind);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 22);
  EXPECT_TRUE(text.ends_with("\n… 1,280 more in the report\n")) << text;
  EXPECT_TRUE(
      make_summary(run_of(0, 1300), *kind, Charset::kAscii).ends_with("\n... 1,280 more in the report\n"));
}

TEST(Summary, ShowsWhatATerminalWouldObey) {
  const auto kind = make_prices_kind();
  kind->add(make_outcome(0, Status::kFailed, "B\x1B[2J@vendor"));
  kind->add(make_outcome(1, Status::kFailed, "caf\xC3\xA9@vendor"));
  RunSummary run;
  run.jobs.submitted = 2;
  run.end_reason = "cannot read \"a\nb\xFF\"";
  EXPECT_EQ(make_summary(run, *kind),
            "2 quotes: 0 ok, 0 failed\n"
            "best for B\\x1b[2J: none in stock (0 quotes)\n"
            "best for caf\xC3\xA9: none in stock (0 quotes)\n"
            "cannot read \"a\\nb\\xff\"\n");
  EXPECT_NE(make_summary(run, *kind, Charset::kAscii).find("caf\\u00e9"), std::string::npos);
}

TEST(Summary, NamesOtherEndsWhereThereAreAny) {
  RunSummary run = run_of(1000, 0);
  run.jobs.submitted = 8426;
  run.jobs.cancelled = 7000;
  run.jobs.expired = 425;
  run.jobs.lost = 1;
  const std::string text = make_summary(run, *twenty_files());
  EXPECT_TRUE(text.starts_with("8,426 files: 1,000 ok, 0 failed, 7,000 cancelled, 425 expired, 1 lost · "))
      << text;
}

TEST(Summary, OfOneItemIsSingular) {
  const std::string text = make_summary(run_of(1, 0), *twenty_files());
  EXPECT_TRUE(text.starts_with("1 file: 1 ok, 0 failed · ")) << text;
}

TEST(Summary, OfNothingSaysSo) {
  EXPECT_EQ(make_summary({}, *make_files_kind({})), "no files: nothing to do\n");
  EXPECT_EQ(make_summary({}, *make_urls_kind()), "no pages: nothing to do\n");
  EXPECT_EQ(make_summary({}, *make_prices_kind()), "no quotes: nothing to do\n");
}

TEST(Summary, AddsWhatWasSkippedAndWhyTheRunEnded) {
  RunSummary run;
  run.skipped = 3;
  EXPECT_EQ(make_summary(run, *make_files_kind({})), "no files: nothing to do\n3 special files skipped\n");
  run.skipped = 1;
  run.end_reason = "no worker came within 30 s";
  EXPECT_EQ(make_summary(run, *make_files_kind({})),
            "no files\n1 special file skipped\nno worker came within 30 s\n");
}

TEST(Summary, LeavesOutWhatNoJobWasMeasuredFor) {
  RunSummary run;
  run.jobs.submitted = 5;
  run.jobs.cancelled = 5;
  run.end_reason = "interrupted";
  const std::string text = make_summary(run, *make_urls_kind());
  EXPECT_EQ(text.find("average"), std::string::npos);
  EXPECT_EQ(text.find("wall"), std::string::npos);
}

TEST(Number, GroupsDigitsByThree) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(18446744073709551615U), "18,446,744,073,709,551,615");
}

TEST(Number, CountsItems) {
  EXPECT_EQ(format_items(0, "word", "words"), "0 words");
  EXPECT_EQ(format_items(1, "word", "words"), "1 word");
  EXPECT_EQ(format_items(48234, "word", "words"), "48,234 words");
}

}  // namespace
}  // namespace fantail
