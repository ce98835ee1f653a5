#include "sink/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sink/kinds/echo.h"

namespace fantail {
namespace {

RunSummary example() {
  RunSummary run;
  run.run_id = "01JD3K7Q5W8XVYB2M4N6P8R0ST";
  run.jobs = {.submitted = 20, .ok = 19, .failed = 1, .cancelled = 0, .expired = 0, .lost = 0};
  run.retries = 2;
  run.duplicates = 1;
  run.dropped = {.late = 2, .forged = 3, .stale = 4};
  run.workers = 8;
  run.max_running = 6;
  run.startup_us = 12'345;
  run.wall_us = 456'000;
  run.work_us = 2'240'000;
  run.started_jobs = 20;
  return run;
}

TEST(Report, IsTheDocumentedObject) {
  EXPECT_EQ(
      make_report(example(), *make_echo_kind(), Digest{1, 2}).dump(),
      R"({"run_id":"01JD3K7Q5W8XVYB2M4N6P8R0ST","kind":"echo","state":"completed","end_reason":null,"first":null,)"
      R"("jobs":{"submitted":20,"ok":19,"failed":1,"cancelled":0,"expired":0,"lost":0},)"
      R"("errors":[],"input_complete":true,"jobs_without_rows":[],"retries":2,"hedged":null,)"
      R"("dropped":{"duplicate":1,"late":2,"forged":3,"stale":4},"workers":8,)"
      R"("max_running":6,"startup_s":0.012345,"wall_s":0.456,"work_s":2.24,"average_s":0.112,"speedup":4.912,)"
      R"("efficiency":null,)"
      R"("digest":"00000000000000020000000000000001","aggregate":{"jobs":0,"bytes":0}})");
}

TEST(Report, SaysWhyARunEndedEarly) {
  RunSummary run = example();
  run.state = RunState::kTimedOut;
  run.end_reason = "the deadline of 2 s passed";
  run.input_complete = false;
  run.without_rows = {{.first = 100, .count = 50}, {.first = 200, .count = 1}};
  const auto report = make_report(run, *make_echo_kind(), {});
  EXPECT_EQ(report["state"], "timed_out");
  EXPECT_EQ(report["end_reason"], "the deadline of 2 s passed");
  EXPECT_EQ(report["input_complete"], false);
  EXPECT_EQ(report["jobs_without_rows"].dump(), R"([{"first":100,"count":50},{"first":200,"count":1}])");
}

TEST(Report, NamesTheWinner) {
  RunSummary run = example();
  run.jobs.cancelled = 4;
  run.winner = {3, "DuckDuckGo", 117'250, 1'200'000};
  EXPECT_EQ(make_report(run, *make_echo_kind(), {})["first"].dump(),
            R"({"job":3,"input":"DuckDuckGo","after_ms":117.25,"cancelled":4,"saved_s":1.2})");
}

TEST(Report, QuotesTheFirstErrors) {
  RunSummary run = example();
  run.errors.push_back({7, "caf\xE9", "timeout", "no answer"});
  EXPECT_EQ(make_report(run, *make_echo_kind(), {})["errors"].dump(),
            R"([{"job":7,"input":"caf\\xe9","code":"timeout","message":"no answer"}])");
}

TEST(Report, SaysWhereTheTimeOfSlotsWent) {
  RunSummary run = example();
  Efficiency& efficiency = run.efficiency.emplace();
  for (std::size_t part = 0; part < kSlotParts; ++part)
    efficiency.parts_us[part] = 1'000'000 * part + 500'000;
  efficiency.slots = 7.12345;
  efficiency.binding = SlotPart::kMaxRunning;
  const auto report = [&run] { return make_report(run, *make_echo_kind(), {})["efficiency"]; };
  EXPECT_EQ(
      report().dump(),
      R"({"percent":0.5,"slots":7.123,"slots_s":98.0,"parts_s":{"working":0.5,"retried":1.5,"hedged":2.5,)"
      R"("cancelled":3.5,"network":4.5,"input":5.5,"rate":6.5,"max_running":7.5,"host":8.5,"paused":9.5,)"
      R"("backoff":10.5,"ventilator":11.5,"sink":12.5,"tail":13.5},"bound_by":"max_running",)"
      R"("one_more_worker":null})");
  efficiency.parts_us = {900'000, 100'000};
  efficiency.binding = SlotPart::kWorking;
  efficiency.one_more_worker = {1.33333, 250'000};
  EXPECT_EQ(report()["percent"], 90.0);
  EXPECT_EQ(report()["bound_by"], "workers");
  EXPECT_EQ(report()["one_more_worker"].dump(), R"({"speedup":1.333,"saved_s":0.25})");
}

TEST(Report, TellsOfCopiesWhereTheRunIsHedged) {
  RunSummary run = example();
  run.hedged = {12, 9, 1'250'000, 2'500'000};
  EXPECT_EQ(make_report(run, *make_echo_kind(), {})["hedged"].dump(),
            R"({"copies":12,"won":9,"extra_s":1.25,"lost_s":2.5})");
}

TEST(Report, OfARunWithoutJobsHasZeros) {
  const auto report = make_report({}, *make_echo_kind(), {});
  for (const char* name : {"wall_s", "work_s", "average_s", "speedup"})
    EXPECT_EQ(report[name], 0.0) << name;
  EXPECT_EQ(report["jobs"]["submitted"], 0);
}

TEST(Report, AveragesOverTheJobsThatStarted) {
  RunSummary run = example();
  run.started_jobs = 3;
  run.work_us = 1'000'000;
  EXPECT_EQ(make_report(run, *make_echo_kind(), {})["average_s"].dump(), "0.333333");
}

TEST(Report, KeepsMicrosecondsOfLongRuns) {
  RunSummary run = example();
  run.wall_us = 123'456'789'012;
  EXPECT_EQ(make_report(run, *make_echo_kind(), {})["wall_s"].dump(), "123456.789012");
}

TEST(Report, IsValidUtf8WhateverASentenceQuotes) {
  RunSummary run = example();
  run.end_reason = "cannot read caf\xE9";
  run.run_id = "\xFF";
  EXPECT_NO_THROW(make_report(run, *make_echo_kind(), {}).dump());
}

TEST(Report, NamesEveryState) {
  EXPECT_EQ(run_state_name(RunState::kCompleted), "completed");
  EXPECT_EQ(run_state_name(RunState::kHalted), "halted");
  EXPECT_EQ(run_state_name(RunState::kTimedOut), "timed_out");
  EXPECT_EQ(run_state_name(RunState::kCancelled), "cancelled");
  EXPECT_EQ(run_state_name(RunState::kFailed), "failed");
}

}  // namespace
}  // namespace fantail
