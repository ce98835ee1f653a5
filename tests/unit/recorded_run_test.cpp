#include "sink/recorded_run.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "books.pb.h"
#include "ledger_support.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/app/run_lock.h"

namespace fantail {
namespace {

// Books as a collector writes them.
void commit_books(LedgerScene& scene, const proto::Books& books) {
  const LedgerFile& ledger = scene.ledger();
  LedgerBooks kept = scene.books();
  kept.counts.submitted = books.submitted();
  kept.state = books.SerializeAsString();
  proto::KindSpec spec;
  spec.mutable_echo();
  kept.aggregate = ledger.sequence() == 0 ? make_kind(spec)->save() : ledger.books().aggregate;
  const auto error = scene.ledger().commit(kept);
  EXPECT_FALSE(error) << error->message;
}

proto::Books two_of_three() {
  proto::Books books;
  books.set_submitted(3);
  books.set_ok(1);
  books.set_failed(1);
  books.set_written_at(5'000'000);
  books.set_first_dispatch_at(2'000'000);
  return books;
}

RecordedRun look_at(const LedgerScene& scene) {
  auto run = read_recorded_run(scene.folder().path());
  if (auto* error = std::get_if<LedgerError>(&run)) ADD_FAILURE() << error->message;
  return std::move(std::get<RecordedRun>(run));
}

TEST(RecordedRun, IsMissingWhereThereIsNoLedger) {
  const TemporaryFolder folder;
  const auto run = read_recorded_run(folder.path());
  ASSERT_TRUE(std::holds_alternative<LedgerError>(run));
  EXPECT_EQ(std::get<LedgerError>(run).fault, LedgerFault::kMissing);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(RecordedRun, HasFiguresFromTheFirstCommitOn) {
  LedgerScene scene;
  EXPECT_EQ(look_at(scene).summary.jobs.submitted, 0U);
  EXPECT_EQ(recorded_state(look_at(scene)), "unfinished");
  scene.stage(0);
  scene.stage(1, Status::kFailed);
  proto::Books books = two_of_three();
  commit_books(scene, books);
  const RecordedRun run = look_at(scene);
  EXPECT_EQ(run.summary.jobs.submitted, 3U);
  EXPECT_EQ(run.summary.jobs.failed, 1U);
  EXPECT_EQ(run.summary.wall_us, 3'000'000U);  // as of the commit, whatever time it is now
  EXPECT_FALSE(run.ended);
  EXPECT_EQ(recorded_state(run), "unfinished");
}

TEST(RecordedRun, HasTheStateOfTheReportOnceItEnded) {
  const std::pair<proto::RunEnd, const char*> ends[] = {{proto::RUN_END_NONE, "completed"},
                                                        {proto::RUN_END_DEADLINE, "timed_out"},
                                                        {proto::RUN_END_INTERRUPTED, "cancelled"},
                                                        {proto::RUN_END_FAULT, "failed"}};
  for (const auto& [end, state] : ends) {
    LedgerScene scene;
    scene.stage(0);
    scene.stage(1, Status::kFailed);
    proto::Books books = two_of_three();
    books.set_ended(true);
    books.set_own_end(end);
    commit_books(scene, books);
    EXPECT_EQ(recorded_state(look_at(scene)), state);
  }
}

TEST(RecordedRun, CountsTheRowsThatNobodyCanReadBack) {
  for (const Keep keep : {Keep::kAll, Keep::kFailures, Keep::kSummary}) {
    LedgerScene scene(keep);
    scene.stage(0);
    scene.stage(1);
    scene.stage(2, Status::kFailed);
    scene.stage_without_rows({3, 10}, Status::kCancelled);
    scene.commit();
    const auto absent = [&](std::optional<Status> status) {
      return std::get<AbsentRows>(absent_rows(scene.ledger(), status));
    };
    EXPECT_EQ(absent({}).not_kept, keep == Keep::kAll ? 0U : keep == Keep::kFailures ? 2U : 3U);
    EXPECT_EQ(absent({}).by_number, 7U);
    EXPECT_EQ(absent(Status::kFailed).not_kept, keep == Keep::kSummary ? 1U : 0U);
    EXPECT_EQ(absent(Status::kFailed).by_number, 0U);
    EXPECT_EQ(absent(Status::kCancelled).by_number, 7U);
  }
}

TEST(LedgerToRead, SeesWhatTheWriterCommitsAndCannotWrite) {
  LedgerScene scene;
  scene.stage(0);
  scene.commit();
  auto opened = LedgerFile::open_to_read(scene.folder().path());
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<LedgerFile>>(opened));
  LedgerFile& reader = *std::get<std::unique_ptr<LedgerFile>>(opened);
  EXPECT_EQ(reader.sequence(), 1U);
  EXPECT_TRUE(reader.done().empty());
  scene.stage(1);
  scene.commit();
  EXPECT_EQ(jobs_read(reader, {}, RowOrder::kJobs), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_FALSE(reader.check());
  EXPECT_EQ(reader.done().size(), 2U);
  reader.stage(make_outcome(2, Status::kOk, "input", ""));
  LedgerBooks books = scene.books();
  ++books.counts.ok;
  EXPECT_TRUE(reader.commit(books).has_value());
  // And the writer is not disturbed.
  scene.stage(2);
  scene.commit();
}

TEST(LedgerToRead, MakesNoFilesBesideThatOfAFinishedRun) {
  LedgerScene scene;
  scene.stage(0);
  scene.commit();
  scene.close();
  ASSERT_FALSE(mark_run_finished(scene.folder().path()));
  {
    auto opened = LedgerFile::open_to_read(scene.folder().path());
    ASSERT_TRUE(std::holds_alternative<std::unique_ptr<LedgerFile>>(opened));
    EXPECT_EQ(jobs_read(*std::get<std::unique_ptr<LedgerFile>>(opened), {}, RowOrder::kJobs).size(), 1U);
  }
  EXPECT_FALSE(std::filesystem::exists(scene.folder().path("ledger.db") + "-wal"));
  EXPECT_FALSE(std::filesystem::exists(scene.folder().path("ledger.db") + "-shm"));
}

TEST(LockHolder, IsTheProcessThatHasItAndNotOneThatHadIt) {
  const TemporaryFolder folder;
  EXPECT_FALSE(lock_holder(folder.path()));
  int taken[2];
  int leave[2];
  ASSERT_EQ(pipe(taken), 0);
  ASSERT_EQ(pipe(leave), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(leave[1]);
    const auto lock = RunLock::take(folder.path());
    char byte = std::holds_alternative<RunLock>(lock) ? 'y' : 'n';
    if (write(taken[1], &byte, 1) == 1) {
      while (read(leave[0], &byte, 1) > 0) {
      }
    }
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(taken[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_EQ(lock_holder(folder.path()), child);
  EXPECT_TRUE(std::holds_alternative<RunLock::Holder>(RunLock::take(folder.path())));
  close(leave[1]);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(lock_holder(folder.path()));
  for (const int descriptor : {taken[0], taken[1], leave[0]})
    close(descriptor);
}

}  // namespace
}  // namespace fantail
