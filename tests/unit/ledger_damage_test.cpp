// What was changed behind the ledger's back is found, and said; what a crash leaves behind opens.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "ledger_support.h"

namespace fantail {
namespace {

// Three commits of ten jobs each, every fourth failed; five more jobs have no rows.
void fill(LedgerScene& scene) {
  for (std::uint64_t commit = 0; commit < 3; ++commit) {
    for (std::uint64_t job = 10 * commit; job < 10 * commit + 10; ++job)
      scene.stage(job, job % 4 == 0 ? Status::kFailed : Status::kOk);
    if (commit == 2) scene.stage_without_rows({40, 45}, Status::kCancelled);
    scene.commit();
  }
}

struct DamageCase {
  std::string sql;
  std::string finding;  // part of the sentence
};

std::string open_error(const std::string& folder) {
  auto opened = LedgerFile::open(folder);
  auto* error = std::get_if<LedgerError>(&opened);
  if (error == nullptr) return "it opened";
  EXPECT_EQ(error->fault, LedgerFault::kFatal);
  EXPECT_NE(error->message.find(folder + "/ledger.db"), std::string::npos) << error->message;
  return error->message;
}

std::string verify_findings(const std::string& folder) {
  const auto verified = verify_ledger(folder);
  if (const auto* error = std::get_if<LedgerError>(&verified)) return error->message;
  std::string text;
  for (const std::string& finding : std::get<VerifyResult>(verified).findings)
    text += finding + "\n";
  return text;
}

TEST(LedgerDamage, OfTheSummaryIsFoundWhenItIsOpened) {
  const std::vector<DamageCase> cases = {
      {"DELETE FROM commits WHERE sequence = 2", "commit 2 is missing"},
      {"DELETE FROM commits WHERE sequence = 0", "commit 0 is missing"},
      {"DELETE FROM commits", "the table commits is empty"},
      {"DELETE FROM commits WHERE sequence = 3", "commit 3, which is missing"},
      {"DELETE FROM commits WHERE sequence = 3; DELETE FROM completed WHERE commit_sequence = 3",
       "the books are those of commit 3, and the last commit is 2"},
      {"UPDATE commits SET chain = lower(hex(randomblob(16))) WHERE sequence = 1", "commit 1"},
      {"UPDATE commits SET kept_hash = 'nonsense' WHERE sequence = 1", "a hash of commit 1 is not one"},
      {"UPDATE commits SET kept_hash = books_hash WHERE sequence = 2", "commit 2"},
      {"UPDATE commits SET output_length = 5 WHERE sequence = 2", "commit 2"},
      {"UPDATE books SET commit_sequence = 2", "the books are those of commit 2, and the last commit is 3"},
      {"UPDATE books SET ok = ok + 1", "the books do not fit"},
      {"UPDATE books SET submitted = 999", "the books do not fit"},
      {"UPDATE books SET state = x'00'", "the books do not fit"},
      {"UPDATE books SET aggregate = x''", "the books do not fit"},
      {"UPDATE books SET digest = 'nonsense'", "the digest"},
      {"DELETE FROM books", "the table books is empty"},
      {"UPDATE completed SET count = count - 1 WHERE without_row = 1", "commit 3"},
      {"UPDATE completed SET count = 0 WHERE without_row = 1", "commit 3 are not a range"},
      {"UPDATE completed SET status = 9 WHERE without_row = 1", "commit 3 are not a range"},
      {"UPDATE completed SET status = 1 WHERE first = 12", "commit 2"},
      {"UPDATE completed SET without_row = 1 WHERE first = 12", "commit 2"},
      {"DELETE FROM completed WHERE first = 12", "commit 2"},
      {"INSERT INTO completed VALUES (2, 500, 1, 1, 0)", "commit 2"},
      {"INSERT INTO completed VALUES (9, 500, 1, 1, 0)", "commit 9, which is missing"},
      {"UPDATE run SET run_id = 'another'", "the tables run and commits"},
      {"UPDATE run SET keep = 'some'", "keeps 'some'"},
      {"DELETE FROM run", "the table run is empty"},
      {"PRAGMA application_id = 1", "is not a ledger of fantail"},
      {"PRAGMA user_version = 7", "has the format 7, not 1"},
      {"DROP TABLE completed", "completed"},
  };
  for (const DamageCase& each : cases) {
    SCOPED_TRACE(each.sql);
    LedgerScene scene;
    fill(scene);
    scene.close();
    run_sql(scene.folder().path("ledger.db"), each.sql);
    const std::string error = open_error(scene.folder().path());
    EXPECT_NE(error.find(each.finding), std::string::npos) << error;
  }
}

TEST(LedgerDamage, OfRowsIsFoundByVerify) {
  const std::vector<DamageCase> cases = {
      {"UPDATE outcomes SET input = x'41' WHERE job = 12",
       "the rows of commit 2 do not fit its hash: one within jobs 10 to 19"},
      {"UPDATE outcomes SET duration_us = 1 WHERE job = 12", "the rows of commit 2"},
      {"UPDATE outcomes SET payload = x'00' WHERE job = 12", "the rows of commit 2"},
      {"UPDATE outcomes SET worker = 'other' WHERE job = 12", "the rows of commit 2"},
      {"UPDATE outcomes SET error_message = NULL WHERE job = 12", "the rows of commit 2"},
      {"UPDATE outcomes SET attempt = 9 WHERE job = 12", "the rows of commit 2"},
      {"UPDATE outcomes SET commit_sequence = 3 WHERE job = 12", "the rows of commit 2"},
      {"UPDATE outcomes SET commit_sequence = 4 WHERE job = 12", "the row of job 12 names commit 4"},
      {"UPDATE outcomes SET status = 1 WHERE job = 12", "the row of job 12 ended otherwise"},
      {"UPDATE outcomes SET status = 77 WHERE job = 12", "the row of job 12 ended otherwise"},
      {"UPDATE outcomes SET job = 400 WHERE job = 12", "the row of job 400"},
      {"DELETE FROM outcomes WHERE job = 12", "no row is there of job 12\n"},
      {"DELETE FROM outcomes WHERE job IN (13, 14, 15)", "no row is there of jobs 13 to 15\n"},
      {"INSERT INTO outcomes SELECT 400, status, attempt, worker, queued_us, duration_us, input, error_code, "
       "error_message, payload, commit_sequence FROM outcomes WHERE job = 12",
       "the row of job 400"},
      {"UPDATE outcomes SET input = x'41' WHERE job = 13",
       "and the rows have"},  // the aggregate counts bytes
  };
  for (const DamageCase& each : cases) {
    SCOPED_TRACE(each.sql);
    LedgerScene scene;
    fill(scene);
    scene.close();
    run_sql(scene.folder().path("ledger.db"), each.sql);
    EXPECT_EQ(open_error(scene.folder().path()), "it opened");
    const std::string findings = verify_findings(scene.folder().path());
    EXPECT_NE(findings.find(each.finding), std::string::npos) << findings;
  }
}

// The rows that are kept are checked as well where not all are.
TEST(LedgerDamage, OfKeptFailuresIsFoundByVerify) {
  LedgerScene scene(Keep::kFailures);
  fill(scene);
  scene.close();
  EXPECT_EQ(verify_findings(scene.folder().path()), "");
  run_sql(scene.folder().path("ledger.db"), "UPDATE outcomes SET error_code = 'other' WHERE job = 12");
  EXPECT_NE(verify_findings(scene.folder().path()).find("the rows of commit 2"), std::string::npos);
}

// A sound chain over books that were wrong when they were committed.
TEST(LedgerDamage, WrongBooksAreFoundByVerify) {
  LedgerScene scene;
  fill(scene);
  scene.books().digest.add({1, 0});
  scene.commit();
  scene.close();
  const std::string findings = verify_findings(scene.folder().path());
  EXPECT_NE(findings.find("the books have the digest"), std::string::npos) << findings;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// What is in the books is what is completed, and all of it is a beginning of what was committed.
void expect_prefix(const LedgerFile& ledger) {
  const std::uint64_t commits = ledger.sequence();
  ASSERT_LE(commits, 3U);
  RangeSet expected;
  expected.insert({0, 10 * commits});
  if (commits == 3) expected.insert({40, 45});
  EXPECT_EQ(ledger.done(), expected);
  EXPECT_EQ(ledger.books().counts.done(), expected.size());
  EXPECT_EQ(jobs_read(ledger, {}, RowOrder::kJobs).size(), 10 * commits);
  EXPECT_EQ(jobs_read(ledger, {}, RowOrder::kCommits).size(), 10 * commits);
}

// As after kill -9 or a power cut: the log ends anywhere, and what was written of it last may be noise.
TEST(LedgerDamage, ALogThatEndsAnywhereOpensWithAPrefix) {
  LedgerScene scene;
  fill(scene);
  const std::string file = read_file(scene.folder().path("ledger.db"));
  const std::string log = read_file(scene.folder().path("ledger.db") + "-wal");
  ASSERT_GT(log.size(), 0U);
  constexpr std::uint64_t kSeed = 5;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::mt19937_64 random(kSeed);
  std::uint64_t last = 0;
  std::size_t openings = 0;
  for (std::size_t size = 0; size <= log.size(); size += 1 + random() % 2000) {
    const TemporaryFolder copy;
    write_file(copy.path("ledger.db"), file);
    std::string torn = log.substr(0, size);
    if (random() % 2 == 0) torn.resize(log.size(), static_cast<char>(random()));
    write_file(copy.path("ledger.db") + "-wal", torn);
    if (!LedgerFile::exists(copy.path())) {
      EXPECT_EQ(last, 0U);  // even its creation was not durable yet
      continue;
    }
    auto opened = LedgerFile::open(copy.path());
    ASSERT_TRUE(std::holds_alternative<std::unique_ptr<LedgerFile>>(opened))
        << std::get<LedgerError>(opened).message;
    const LedgerFile& ledger = *std::get<std::unique_ptr<LedgerFile>>(opened);
    expect_prefix(ledger);
    EXPECT_GE(ledger.sequence(), last);
    last = ledger.sequence();
    ++openings;
  }
  EXPECT_GT(openings, 20U);
  EXPECT_GE(last, 2U);
}

TEST(LedgerDamage, ACopyTakenInTheMiddleGoesOn) {
  LedgerScene scene;
  scene.stage(0);
  scene.commit();
  scene.stage(1);
  const TemporaryFolder copy;
  for (const std::string suffix : {"", "-wal"})
    write_file(copy.path("ledger.db") + suffix, read_file(scene.folder().path("ledger.db") + suffix));
  auto opened = LedgerFile::open(copy.path());
  LedgerFile& ledger = *std::get<std::unique_ptr<LedgerFile>>(opened);
  EXPECT_EQ(ledger.done().spans(), (std::vector<JobSpan>{{0, 1}}));
  ledger.stage(make_outcome(1, Status::kOk, "again"));
  LedgerBooks books = ledger.books();
  ++books.counts.ok;
  EXPECT_FALSE(ledger.commit(books).has_value());
  EXPECT_EQ(ledger.sequence(), 2U);
}

// Every page of the file overwritten in turn, and bits flipped anywhere: an error or a finding, never silence
// about a row, and never a crash.
TEST(LedgerDamage, OfAnyPageIsNoticed) {
  LedgerScene scene;
  fill(scene);
  scene.close();  // moves the log into the file
  const std::string sound = read_file(scene.folder().path("ledger.db"));
  EXPECT_EQ(verify_findings(scene.folder().path()), "");
  constexpr std::size_t kPageBytes = 8192;
  ASSERT_EQ(sound.size() % kPageBytes, 0U);
  std::mt19937_64 random(23);
  for (std::size_t page = 0; page < sound.size() / kPageBytes; ++page) {
    std::string damaged = sound;
    for (std::size_t i = 0; i < kPageBytes; ++i)
      damaged[page * kPageBytes + i] = static_cast<char>(random());
    const TemporaryFolder copy;
    write_file(copy.path("ledger.db"), damaged);
    EXPECT_NE(verify_findings(copy.path()), "") << "page " << page;
  }
  for (int i = 0; i < 300; ++i) {
    std::string damaged = sound;
    const std::size_t at = random() % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
    const TemporaryFolder copy;
    write_file(copy.path("ledger.db"), damaged);
    verify_findings(copy.path());  // many bits lie in free space and mean nothing
  }
}

TEST(LedgerDamage, AFileOfSomethingElseIsNotOpened) {
  const TemporaryFolder folder;
  write_file(folder.path("ledger.db"), std::string(10'000, 'x'));
  EXPECT_TRUE(LedgerFile::exists(folder.path()));
  EXPECT_NE(open_error(folder.path()), "it opened");
  auto created = LedgerFile::create(folder.path(), make_run(Keep::kAll));
  EXPECT_TRUE(std::holds_alternative<LedgerError>(created));
}

TEST(LedgerSpace, WhatIsStagedSurvivesAFullDisk) {
  for (const Keep keep : {Keep::kAll, Keep::kFailures, Keep::kSummary}) {
    SCOPED_TRACE(keep_name(keep));
    LedgerScene scene(keep);
    fill(scene);
    scene.ledger().test_limit_pages(1);  // which is: no page more than there are
    std::uint64_t job = 100;
    std::optional<LedgerError> error;
    while (!error) {  // until what is left of the pages is full too
      ASSERT_LT(job, 100'000U);
      for (int i = 0; i < 50; ++i, job += 2)
        scene.stage(job, Status::kFailed);
      error = scene.try_commit();
    }
    EXPECT_EQ(error->fault, LedgerFault::kNoSpace) << error->message;
    EXPECT_NE(error->message.find("make room"), std::string::npos);
    EXPECT_TRUE(scene.ledger().has_staged());
    const std::uint64_t sequence = scene.ledger().sequence();
    scene.stage(job + 1);  // and more comes while there is none
    error = scene.try_commit();
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->fault, LedgerFault::kNoSpace);
    EXPECT_EQ(scene.ledger().sequence(), sequence);
    scene.ledger().test_limit_pages(1'000'000);
    scene.commit();
    EXPECT_FALSE(scene.ledger().has_staged());
    EXPECT_EQ(scene.ledger().sequence(), sequence + 1);
    scene.reopen();
    EXPECT_EQ(scene.ledger().done().size(), 35 + (job - 100) / 2 + 1);
    scene.close();
    EXPECT_EQ(verify_findings(scene.folder().path()), "");
  }
}

}  // namespace
}  // namespace fantail
