// Writes and syncs that fail, one after the other, and processes that are killed: what was reported as
// committed is there, and nothing else but the commit under way.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <random>

#include "ledger_support.h"

namespace {

// The next call but `left` of this sort fails once.
struct Fault {
  enum class Call { kNone, kWrite, kSync } call = Call::kNone;
  int error = 0;
  int left = 0;

  bool strikes(Call now) {
    if (call != now || --left > 0) return false;
    call = Call::kNone;
    errno = error;
    return true;
  }
};

Fault fault;

// No power is lost while a fault is looked for, so that need not wait for the disk.
bool syncs = true;

int sync_or_fail(long number, int descriptor) {
  struct stat status = {};
  // SQLite does not tell of a folder that cannot be synced.
  const bool is_file = fstat(descriptor, &status) == 0 && !S_ISDIR(status.st_mode);
  if (is_file && fault.strikes(Fault::Call::kSync)) return -1;
  if (!syncs) return 0;
  return static_cast<int>(syscall(number, descriptor));
}

ssize_t write_or_fail(int descriptor, const void* bytes, size_t size) {
  if (fault.strikes(Fault::Call::kWrite)) return -1;
  return ::write(descriptor, bytes, size);
}

ssize_t pwrite_or_fail(int descriptor, const void* bytes, size_t size, off_t offset) {
  if (fault.strikes(Fault::Call::kWrite)) return -1;
  return ::pwrite(descriptor, bytes, size, offset);
}

}  // namespace

// In place of the C library's, for the libraries of this program.
extern "C" int fsync(int descriptor) {
  return sync_or_fail(SYS_fsync, descriptor);
}

extern "C" int fdatasync(int descriptor) {
  return sync_or_fail(SYS_fdatasync, descriptor);
}

namespace fantail {
namespace {

class LedgerFaults : public testing::Test {
 protected:
  // SQLite's own door for tests of its system calls.
  LedgerFaults() {
    syncs = false;
    sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
    vfs->xSetSystemCall(vfs, "write", reinterpret_cast<sqlite3_syscall_ptr>(write_or_fail));
    vfs->xSetSystemCall(vfs, "pwrite", reinterpret_cast<sqlite3_syscall_ptr>(pwrite_or_fail));
    vfs->xSetSystemCall(vfs, "pwrite64", reinterpret_cast<sqlite3_syscall_ptr>(pwrite_or_fail));
  }
  ~LedgerFaults() override {
    fault = {};
    syncs = true;
    sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
    vfs->xSetSystemCall(vfs, nullptr, nullptr);
  }
};

struct FaultRun {
  bool was_struck = false;
  int no_space = 0;
  int fatal = 0;
  int fatal_at_creation = 0;  // of those
};

// Creates a ledger and commits four times, the third moves the log into the file; the n-th call fails.
void run_with(Fault::Call call, int error, int n, FaultRun& result) {
  SCOPED_TRACE(testing::Message() << "call " << n << " fails with errno " << error);
  const TemporaryFolder folder;
  fault = {call, error, n};
  auto created = LedgerFile::create(folder.path(), make_run(Keep::kAll));
  if (auto* failed = std::get_if<LedgerError>(&created)) {
    result.was_struck = true;
    ++(failed->fault == LedgerFault::kNoSpace ? result.no_space : result.fatal);
    result.fatal_at_creation = result.fatal;
    // It is there, empty, or can be made again.
    auto again = LedgerFile::create(folder.path(), make_run(Keep::kAll));
    if (auto* held = std::get_if<LedgerError>(&again); held && held->fault == LedgerFault::kExists)
      again = LedgerFile::open(folder.path());
    ASSERT_TRUE(std::holds_alternative<std::unique_ptr<LedgerFile>>(again))
        << std::get<LedgerError>(again).message;
    EXPECT_EQ(std::get<std::unique_ptr<LedgerFile>>(again)->sequence(), 0u);
    return;
  }
  auto ledger = std::move(std::get<std::unique_ptr<LedgerFile>>(created));
  ledger->test_checkpoint_at(12);
  LedgerBooks books;
  std::uint64_t acknowledged = 0;
  const std::string large(5'000, 'x');
  for (std::uint64_t job = 0; job < 4; ++job) {
    ledger->stage(make_outcome(job, Status::kOk, large));
    ++books.counts.ok;
    std::optional<LedgerError> failed = ledger->commit(books);
    if (failed && failed->fault == LedgerFault::kNoSpace) {
      ++result.no_space;
      EXPECT_EQ(ledger->sequence(), job);
      EXPECT_TRUE(ledger->has_staged());
      failed = ledger->commit(books);  // there is space again
    }
    if (failed) {
      EXPECT_EQ(failed->fault, LedgerFault::kFatal) << failed->message;
      ++result.fatal;
      EXPECT_TRUE(ledger->commit(books).has_value());  // never tried again
      break;
    }
    ++acknowledged;
  }
  result.was_struck = fault.call == Fault::Call::kNone;
  fault = {};
  ledger.reset();
  auto opened = LedgerFile::open(folder.path());
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<LedgerFile>>(opened))
      << std::get<LedgerError>(opened).message;
  ledger = std::move(std::get<std::unique_ptr<LedgerFile>>(opened));
  EXPECT_GE(ledger->sequence(), acknowledged);
  EXPECT_LE(ledger->sequence(), acknowledged + 1);
  EXPECT_EQ(ledger->done().size(), ledger->sequence());
  EXPECT_EQ(jobs_read(*ledger, {}, RowOrder::kJobs).size(), ledger->sequence());
}

FaultRun fail_each(Fault::Call call, int error) {
  FaultRun sum;
  for (int n = 1;; ++n) {
    FaultRun one;
    run_with(call, error, n, one);
    sum.no_space += one.no_space;
    sum.fatal += one.fatal;
    sum.fatal_at_creation += one.fatal_at_creation;
    // Those of moving the log into the file are told as well.
    if (call == Fault::Call::kSync && one.was_struck) {
      EXPECT_EQ(one.fatal, 1) << "sync " << n << " passed unseen";
    }
    if (!one.was_struck || testing::Test::HasFatalFailure()) {
      EXPECT_GT(n, 10) << "the fault never strikes: does SQLite call otherwise?";
      return sum;
    }
  }
}

TEST_F(LedgerFaults, AWriteWithoutSpaceMayBeTriedAgain) {
  for (const int error : {ENOSPC, EDQUOT}) {
    const FaultRun sum = fail_each(Fault::Call::kWrite, error);
    EXPECT_GT(sum.no_space, 10);
    // While the file is made SQLite has a journal that is gone when it is asked for the errno of a quota.
    EXPECT_EQ(sum.fatal, error == EDQUOT ? sum.fatal_at_creation : 0);
  }
}

TEST_F(LedgerFaults, AWriteThatFailsIsFatal) {
  const FaultRun sum = fail_each(Fault::Call::kWrite, EIO);
  EXPECT_GT(sum.fatal, 10);
}

// Whatever its reason: the kernel forgets what it could not write.
TEST_F(LedgerFaults, ASyncThatFailsIsFatal) {
  for (const int error : {EIO, ENOSPC}) {
    const FaultRun sum = fail_each(Fault::Call::kSync, error);
    EXPECT_GT(sum.fatal, 5);
    EXPECT_EQ(sum.no_space, 0);
  }
}

// Somebody who still reads an earlier state is no reason to tell of what may be in the page cache alone.
TEST_F(LedgerFaults, WhatAnOpenedLedgerHoldsIsSyncedWhileSomebodyReads) {
  LedgerScene scene;
  scene.stage(0);
  scene.commit();
  auto reader = SqliteDatabase::open(LedgerFile::path_in(scene.folder().path()), SqliteDatabase::Mode::kRead);
  ASSERT_TRUE(std::holds_alternative<SqliteDatabase>(reader));
  auto& reading = std::get<SqliteDatabase>(reader);
  ASSERT_TRUE(reading.execute("BEGIN"));
  ASSERT_EQ(reading.query_integer("SELECT count(*) FROM commits"), 2u);
  // All that the reader leaves to be moved into the file is moved.
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<LedgerFile>>(LedgerFile::open(scene.folder().path())));
  scene.stage(1);
  scene.commit();
  fault = {Fault::Call::kSync, EIO, 1};
  const auto opened = LedgerFile::open(scene.folder().path());
  ASSERT_TRUE(std::holds_alternative<LedgerError>(opened));
  EXPECT_EQ(std::get<LedgerError>(opened).fault, LedgerFault::kFatal);
  EXPECT_NE(std::get<LedgerError>(opened).message.find("cannot be synced"), std::string::npos);
}

// Commits without end, and tells of every commit.
[[noreturn]] void commit_until_killed(const std::string& folder, int told) {
  auto opened = LedgerFile::exists(folder) ? LedgerFile::open(folder)
                                           : LedgerFile::create(folder, make_run(Keep::kAll));
  auto* ledger = std::get_if<std::unique_ptr<LedgerFile>>(&opened);
  if (ledger == nullptr) _exit(1);
  (*ledger)->test_checkpoint_at(20);
  LedgerBooks books = (*ledger)->books();
  for (std::uint64_t job = (*ledger)->done().size();;) {
    for (int i = 0; i < 30; ++i, ++job) {
      (*ledger)->stage(make_outcome(job, Status::kOk, "some input"));
      ++books.counts.ok;
    }
    if ((*ledger)->commit(books)) _exit(1);
    const std::uint64_t sequence = (*ledger)->sequence();
    if (write(told, &sequence, sizeof sequence) != sizeof sequence) _exit(1);
  }
}

TEST(LedgerKill, WhatWasCommittedIsThereAfterKill9) {
  const TemporaryFolder folder;
  constexpr std::uint64_t kSeed = 77;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  std::mt19937_64 random(kSeed);
  std::uint64_t last = 0;
  for (int round = 0; round < 20; ++round) {
    int told[2];
    ASSERT_EQ(pipe(told), 0);
    const pid_t child = fork();
    if (child == 0) commit_until_killed(folder.path(), told[1]);
    close(told[1]);
    // So many commits, then it dies wherever it is.
    for (std::uint64_t commits = 1 + random() % 12; commits > 0; --commits)
      ASSERT_EQ(::read(told[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    kill(child, SIGKILL);
    std::uint64_t late = 0;
    while (::read(told[0], &late, sizeof late) == sizeof late)
      last = late;
    close(told[0]);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    const auto opened = LedgerFile::open(folder.path());
    ASSERT_TRUE(std::holds_alternative<std::unique_ptr<LedgerFile>>(opened))
        << std::get<LedgerError>(opened).message;
    const LedgerFile& ledger = *std::get<std::unique_ptr<LedgerFile>>(opened);
    EXPECT_GE(ledger.sequence(), last);
    EXPECT_LE(ledger.sequence(), last + 1);
    EXPECT_EQ(ledger.done().spans(), (std::vector<JobSpan>{{0, 30 * ledger.sequence()}}));
    EXPECT_EQ(jobs_read(ledger, {}, RowOrder::kCommits).size(), 30 * ledger.sequence());
  }
}

}  // namespace
}  // namespace fantail
