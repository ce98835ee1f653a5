#include "sink/ledger_file.h"

#include <gtest/gtest.h>
#include <stdio.h>

#include <random>

#include "ledger_support.h"

namespace fantail {
namespace {

using Jobs = std::vector<std::uint64_t>;

std::string text_of(const Outcome& outcome) {
  std::string text;
  append_record(outcome, text);
  return text;
}

TEST(LedgerFile, ANewOneIsEmpty) {
  LedgerScene scene;
  EXPECT_EQ(scene.ledger().sequence(), 0U);
  EXPECT_TRUE(scene.ledger().done().empty());
  EXPECT_FALSE(scene.ledger().has_staged());
  scene.reopen();
  EXPECT_EQ(scene.ledger().sequence(), 0U);
  EXPECT_EQ(scene.ledger().run().run_id, "01J00000000000000000000000");
  EXPECT_EQ(scene.ledger().run().kind, "echo");
  EXPECT_EQ(scene.ledger().run().spec, echo_spec());
  EXPECT_EQ(scene.ledger().run().command, "fantail run echo");
  EXPECT_EQ(scene.ledger().run().created_at, 1'700'000'000U);
  EXPECT_EQ(scene.ledger().books().counts.done(), 0U);
}

TEST(LedgerFile, KeepsEveryFieldOfEveryOutcome) {
  LedgerScene scene;
  std::vector<std::string> texts;
  for (std::uint64_t job = 0; job < 40; ++job) {
    Outcome outcome = make_outcome(job, job % 7 == 3 ? Status::kFailed : Status::kOk, "input", "");
    const std::string bytes("a\0\xFF", 3);
    if (job % 2 == 0) outcome.payload = bytes;
    if (job % 3 == 0) outcome.input = bytes;
    if (job % 3 == 1) outcome.input = {};
    if (job % 5 < 2) outcome.worker = "worker";
    if (job % 7 == 3) outcome.error_code = "code";
    if (job % 14 == 3) outcome.error_message = bytes;
    outcome.attempt = job == 0 ? ~std::uint32_t{0} : static_cast<std::uint32_t>(job % 3);
    outcome.queued_us = job == 1 ? ~std::uint64_t{0} : job;
    outcome.duration_us = job == 2 ? std::uint64_t{1} << 63 : job;
    texts.push_back(text_of(outcome));
    scene.ledger().stage(outcome);
    ++(outcome.status == Status::kOk ? scene.books().counts.ok : scene.books().counts.failed);
  }
  scene.commit();
  scene.reopen();
  std::vector<std::string> read;
  EXPECT_FALSE(scene.ledger().for_each({}, RowOrder::kJobs, [&read](const Outcome& outcome) {
    read.push_back(text_of(outcome));
    return true;
  }));
  EXPECT_EQ(read, texts);
}

TEST(LedgerFile, GivesBackTheBooksOfTheLastCommit) {
  LedgerScene scene;
  scene.books().output = {17, 0, 2};
  scene.stage(0);
  scene.commit();
  scene.books().output = {250, 1, 9};
  scene.stage(1, Status::kFailed);
  scene.stage(2, Status::kExpired);
  scene.commit();
  scene.reopen();
  EXPECT_EQ(scene.ledger().sequence(), 2U);
  const LedgerBooks& books = scene.ledger().books();
  EXPECT_EQ(books.counts.submitted, 1'000U);
  EXPECT_EQ(books.counts.ok, 1U);
  EXPECT_EQ(books.counts.failed, 1U);
  EXPECT_EQ(books.counts.cancelled, 0U);
  EXPECT_EQ(books.counts.expired, 1U);
  EXPECT_EQ(books.digest, scene.books().digest);
  EXPECT_EQ(books.state, "state 2");
  EXPECT_EQ(books.aggregate, scene.books().aggregate);
  EXPECT_EQ(books.output, (OutputMark{250, 1, 9}));
}

// Books may change without an outcome, such as when the run ends.
TEST(LedgerFile, CommitsBooksAlone) {
  LedgerScene scene;
  scene.commit();
  scene.commit();
  scene.reopen();
  EXPECT_EQ(scene.ledger().sequence(), 2U);
  EXPECT_EQ(scene.ledger().books().state, "state 2");
}

TEST(LedgerFile, WhatWasNotCommittedIsNotThere) {
  LedgerScene scene;
  scene.stage(0);
  scene.commit();
  scene.stage(1);
  EXPECT_TRUE(scene.ledger().has_staged());
  scene.reopen();
  EXPECT_EQ(scene.ledger().done().spans(), (std::vector<JobSpan>{{0, 1}}));
  EXPECT_EQ(jobs_read(scene.ledger(), {}, RowOrder::kJobs), (Jobs{0}));
}

// Jobs arrive in any order and mixed; every way to keep rows gives the same guarantee.
TEST(LedgerFile, CountsAllWhateverItKeeps) {
  for (const Keep keep : {Keep::kAll, Keep::kFailures, Keep::kSummary}) {
    SCOPED_TRACE(keep_name(keep));
    LedgerScene scene(keep);
    std::vector<std::uint64_t> jobs(200);
    for (std::uint64_t job = 0; job < jobs.size(); ++job)
      jobs[job] = job;
    std::mt19937_64 random(11);
    std::shuffle(jobs.begin(), jobs.end(), random);
    Jobs kept;
    RangeSet failed;
    for (const std::uint64_t job : jobs) {
      const Status status = job % 6 == 0 ? Status::kFailed : Status::kOk;
      scene.stage(job, status);
      if (status == Status::kFailed) failed.insert(job);
      if (keep == Keep::kAll || (keep == Keep::kFailures && status == Status::kFailed)) kept.push_back(job);
      if (random() % 10 == 0) scene.commit();
    }
    scene.stage_without_rows({200, 300}, Status::kCancelled);
    scene.commit();
    scene.reopen();
    std::sort(kept.begin(), kept.end());
    EXPECT_EQ(scene.ledger().run().keep, keep);
    EXPECT_EQ(scene.ledger().done().spans(), (std::vector<JobSpan>{{0, 300}}));
    EXPECT_EQ(std::get<RangeSet>(scene.ledger().done_with(Status::kFailed)), failed);
    EXPECT_EQ(std::get<RangeSet>(scene.ledger().done_without_rows()).spans(),
              (std::vector<JobSpan>{{200, 300}}));
    EXPECT_EQ(jobs_read(scene.ledger(), {}, RowOrder::kJobs), kept);
    scene.close();
    const auto verified = verify_ledger(scene.folder().path());
    ASSERT_TRUE(std::holds_alternative<VerifyResult>(verified));
    const VerifyResult& result = std::get<VerifyResult>(verified);
    EXPECT_EQ(result.findings, std::vector<std::string>{});
    EXPECT_EQ(result.jobs, 300U);
    EXPECT_EQ(result.rows, kept.size());
    EXPECT_EQ(result.recomputed, keep == Keep::kAll);
  }
}

TEST(LedgerFile, ReadsInTheOrderOfCommitsOrOfJobs) {
  LedgerScene scene;
  for (const std::uint64_t job : {7U, 3U, 8U})
    scene.stage(job);
  scene.commit();
  scene.stage(5, Status::kFailed);
  scene.stage(1);
  scene.commit();
  scene.stage(4);
  scene.stage(6);
  scene.stage_without_rows({20, 30}, Status::kExpired);
  scene.commit();
  scene.reopen();
  const LedgerFile& ledger = scene.ledger();
  EXPECT_EQ(jobs_read(ledger, {}, RowOrder::kJobs), (Jobs{1, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(jobs_read(ledger, {}, RowOrder::kCommits), (Jobs{3, 7, 8, 1, 5, 4, 6}));
  RowFilter later;
  later.after_commit = 1;
  EXPECT_EQ(jobs_read(ledger, later, RowOrder::kCommits), (Jobs{1, 5, 4, 6}));
  EXPECT_EQ(jobs_read(ledger, later, RowOrder::kJobs), (Jobs{1, 4, 5, 6}));
  RowFilter failed;
  failed.status = Status::kFailed;
  EXPECT_EQ(jobs_read(ledger, failed, RowOrder::kCommits), (Jobs{5}));
  EXPECT_EQ(jobs_read(ledger, failed, RowOrder::kJobs), (Jobs{5}));
  RowFilter behind;
  behind.from_job = 5;
  EXPECT_EQ(jobs_read(ledger, behind, RowOrder::kCommits), (Jobs{7, 8, 5, 6}));
  EXPECT_EQ(jobs_read(ledger, behind, RowOrder::kJobs), (Jobs{5, 6, 7, 8}));
}

TEST(LedgerFile, ReadingStopsWhenToldTo) {
  LedgerScene scene;
  for (std::uint64_t job = 0; job < 10; ++job)
    scene.stage(job);
  scene.commit();
  for (const RowOrder order : {RowOrder::kJobs, RowOrder::kCommits}) {
    std::uint64_t rows = 0;
    EXPECT_FALSE(scene.ledger().for_each({}, order, [&rows](const Outcome&) { return ++rows < 4; }));
    EXPECT_EQ(rows, 4U);
  }
  scene.stage(10);
  scene.commit();  // no reading transaction is left behind
}

TEST(LedgerFile, RefusesASecondOutcomeOfAJob) {
  for (const Keep keep : {Keep::kAll, Keep::kSummary}) {
    SCOPED_TRACE(keep_name(keep));
    for (const bool same_commit : {true, false}) {
      LedgerScene scene(keep);
      scene.stage(4);
      scene.stage(5);
      if (!same_commit) scene.commit();
      scene.stage(5, Status::kFailed);
      const auto error = scene.try_commit();
      ASSERT_TRUE(error.has_value());
      EXPECT_EQ(error->fault, LedgerFault::kFatal);
      EXPECT_NE(error->message.find("outcome already"), std::string::npos) << error->message;
      EXPECT_TRUE(scene.try_commit().has_value());  // and stays refused
      scene.reopen();
      EXPECT_EQ(scene.ledger().done().size(), same_commit ? 0U : 2U);
    }
  }
}

// Behind the LedgerFile's back SQLite itself refuses it.
TEST(LedgerFile, TheTableRefusesASecondRow) {
  LedgerScene scene;
  scene.stage(4);
  scene.commit();
  auto opened = SqliteDatabase::open(scene.folder().path("ledger.db"), SqliteDatabase::Mode::kOpen);
  auto& database = std::get<SqliteDatabase>(opened);
  EXPECT_FALSE(database.execute("INSERT INTO outcomes SELECT * FROM outcomes"));
  EXPECT_FALSE(database.execute("INSERT INTO completed SELECT * FROM completed"));
  EXPECT_FALSE(database.execute("INSERT INTO commits SELECT * FROM commits"));
}

TEST(LedgerFile, RefusesBooksThatCountOtherwise) {
  LedgerScene scene;
  scene.stage(4);
  ++scene.books().counts.ok;
  const auto error = scene.try_commit();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->fault, LedgerFault::kFatal);
}

TEST(LedgerFile, DoesNotReplaceALedger) {
  LedgerScene scene;
  const auto second = LedgerFile::create(scene.folder().path(), make_run(Keep::kAll));
  ASSERT_TRUE(std::holds_alternative<LedgerError>(second));
  EXPECT_EQ(std::get<LedgerError>(second).fault, LedgerFault::kExists);
}

TEST(LedgerFile, OpensOnlyWhatIsThere) {
  const TemporaryFolder folder;
  EXPECT_FALSE(LedgerFile::exists(folder.path()));
  auto opened = LedgerFile::open(folder.path());
  ASSERT_TRUE(std::holds_alternative<LedgerError>(opened));
  EXPECT_EQ(std::get<LedgerError>(opened).fault, LedgerFault::kMissing);
  const auto created = LedgerFile::create(folder.path() + "/missing", make_run(Keep::kAll));
  ASSERT_TRUE(std::holds_alternative<LedgerError>(created));
  EXPECT_EQ(std::get<LedgerError>(created).fault, LedgerFault::kFatal);
}

// The file is there before its tables are.
TEST(LedgerFile, BeginsAnewWhereCreationWasCutShort) {
  const TemporaryFolder folder;
  {
    auto opened = SqliteDatabase::open(folder.path("ledger.db"), SqliteDatabase::Mode::kCreate);
    ASSERT_TRUE(std::get<SqliteDatabase>(opened).query_text("PRAGMA journal_mode = WAL").has_value());
  }
  EXPECT_FALSE(LedgerFile::exists(folder.path()));
  auto created = LedgerFile::create(folder.path(), make_run(Keep::kAll));
  EXPECT_TRUE(std::holds_alternative<std::unique_ptr<LedgerFile>>(created));
  EXPECT_TRUE(LedgerFile::exists(folder.path()));
}

// Another process reads while the run goes on, and holds nobody up.
TEST(LedgerFile, CanBeReadWhileItGrows) {
  LedgerScene scene;
  scene.stage(0);
  scene.commit();
  auto other = LedgerFile::open(scene.folder().path());
  const LedgerFile& reader = *std::get<std::unique_ptr<LedgerFile>>(other);
  Jobs jobs;
  EXPECT_FALSE(reader.for_each({}, RowOrder::kJobs, [&](const Outcome& outcome) {
    scene.stage(outcome.job + 1);
    scene.commit();
    jobs.push_back(outcome.job);
    return true;
  }));
  EXPECT_EQ(jobs, (Jobs{0}));
  EXPECT_EQ(jobs_read(reader, {}, RowOrder::kJobs), (Jobs{0, 1}));
}

TEST(LedgerFile, WaitsOutAnotherWriterAndSaysSo) {
  LedgerScene scene;
  scene.stage(0);
  auto opened = SqliteDatabase::open(scene.folder().path("ledger.db"), SqliteDatabase::Mode::kOpen);
  auto& other = std::get<SqliteDatabase>(opened);
  ASSERT_TRUE(other.execute("BEGIN IMMEDIATE"));
  const auto error = scene.try_commit();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->fault, LedgerFault::kBusy) << error->message;
  ASSERT_TRUE(other.execute("COMMIT"));
  scene.commit();
  EXPECT_EQ(scene.ledger().done().size(), 1U);
}

std::string shell(const std::string& file, const std::string& sql) {
  FILE* pipe = popen(("sqlite3 -readonly '" + file + "' \"" + sql + "\" 2>&1").c_str(), "r");
  std::string text;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe))
    text += static_cast<char>(c);
  pclose(pipe);
  return text;
}

// The examples of docs/LEDGER.md, on a ledger that is open.
TEST(LedgerFile, IsReadableWithTheShell) {
  LedgerScene scene;
  scene.ledger().stage(make_outcome(0, Status::kOk, "one"));
  ++scene.books().counts.ok;
  scene.commit();
  Outcome failed = make_outcome(1, Status::kFailed, "two");
  failed.error_code = "not_found";
  failed.error_message = "there is none";
  failed.duration_us = 1'500;
  scene.ledger().stage(failed);
  ++scene.books().counts.failed;
  scene.commit();
  const std::string file = scene.folder().path("ledger.db");
  EXPECT_EQ(shell(file, "SELECT job, input, status FROM rows"), "0|one|ok\n1|two|failed\n");
  EXPECT_EQ(shell(file, "SELECT job, error_code, duration_ms FROM rows WHERE status = 'failed'"),
            "1|not_found|1.5\n");
  EXPECT_EQ(shell(file, "SELECT input FROM rows WHERE input = 'two'"), "two\n");
  EXPECT_EQ(shell(file, "SELECT ok, failed, commit_sequence FROM books"), "1|1|2\n");
  EXPECT_EQ(shell(file, "SELECT run_id, kind, keep FROM run"), "01J00000000000000000000000|echo|all\n");
  EXPECT_EQ(shell(file, "PRAGMA integrity_check"), "ok\n");
}

}  // namespace
}  // namespace fantail
