// The durable ledger of one run: an SQLite file FOLDER/ledger.db that holds how each job ended, the books,
// and a chained hash over both. docs/LEDGER.md has the tables and what is hashed. What is staged becomes
// durable with the next commit, all of it or nothing. Knows no kind but in verify_ledger, and no clock.
//
// A LedgerFile belongs to one thread at a time, and is the only writer; others may read the file meanwhile,
// by the sqlite3 shell too. Between begin_commit() and end_commit() another thread may run write_commit()
// while the first one stages, and does nothing else. Errors are values whose message names the file, the
// reason and the way out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/range_set.h"
#include "sink/digest.h"
#include "sink/ledger_chain.h"
#include "sink/outcome.h"
#include "sink/run_summary.h"
#include "sink/sqlite.h"

namespace fantail {

enum class LedgerFault {
  kMissing,  // open: there is no ledger, or its creation was cut short
  kExists,   // create: there is one already
  kNoSpace,  // nothing was committed, what is staged is kept: the commit may be tried again
  kBusy,     // as kNoSpace: another process holds the file's write lock
  kFatal,    // I/O error, failed fsync, damage, defect: the LedgerFile refuses every later commit
};

struct LedgerError {
  LedgerFault fault = LedgerFault::kFatal;
  std::string message;
  bool damaged = false;  // the file was read, and is not what was written
};

enum class RowOrder { kCommits /* and by job within one */, kJobs };

// Which of the kept rows are read.
struct RowFilter {
  std::uint64_t after_commit = 0;  // only those of later commits
  std::uint64_t up_to_commit = INT64_MAX;
  std::optional<Status> status;
  JobId from_job = 0;
  JobId before_job = INT64_MAX;
};

class LedgerFile {
 public:
  // Requires: the folder exists. An existing ledger is an error, unless its creation was cut short.
  static std::variant<std::unique_ptr<LedgerFile>, LedgerError> create(const std::string& folder,
                                                                       const LedgerRun& run);
  // Checks the chain over all commits, that the books are those of the last one, and that the completed jobs
  // are as many as the books say, each once. Rows are not read: verify_ledger does that.
  static std::variant<std::unique_ptr<LedgerFile>, LedgerError> open(const std::string& folder);
  // To look into a ledger whose run may be going on, or may be over: neither the file nor its log is changed.
  // Run and books are read, and nothing is checked; done() is empty, and there are no commits.
  static std::variant<std::unique_ptr<LedgerFile>, LedgerError> open_to_read(const std::string& folder);
  // What open() checks, for one that was opened to be read; done() is filled.
  std::optional<LedgerError> check() { return load(); }
  // Whether open() has something to open.
  static bool exists(const std::string& folder);
  static std::string path_in(const std::string& folder);

  const std::string& path() const { return path_; }
  const LedgerRun& run() const { return run_; }
  const LedgerBooks& books() const { return books_; }   // of the last commit
  std::uint64_t sequence() const { return sequence_; }  // of the last commit; 0: none yet
  const RangeSet& done() const { return done_; }        // committed jobs
  // Committed jobs that ended so.
  std::variant<RangeSet, LedgerError> done_with(Status status) const;
  // Those of them that are known by number only.
  std::variant<RangeSet, LedgerError> done_without_rows() const;
  bool keeps(Status status) const;  // whether jobs that end so have a row

  // Copies the outcome. Requires: the job was not staged before; commit refuses what would count twice.
  void stage(const Outcome& outcome);
  void stage_without_rows(JobSpan jobs, Status status);
  bool has_staged() const { return !staged_.completed.empty() || !writing_.completed.empty(); }
  std::uint64_t staged_bytes() const {
    return staged_.records.size();
  }  // not counting what is being committed

  // Makes durable what is staged, and the books, in one transaction. After kNoSpace and kBusy it may be
  // called again, also with more staged and other books.
  std::optional<LedgerError> commit(const LedgerBooks& books);
  // The same in three steps; what is staged after the first is for the next commit. Whatever goes wrong is
  // told by the last one.
  void begin_commit(LedgerBooks books);
  void write_commit();
  std::optional<LedgerError> end_commit();

  // Calls take with the kept rows until it returns false. The outcome's views are valid during the call.
  // Reads one state of the file, whatever is committed meanwhile by another process; take must not commit.
  std::optional<LedgerError> for_each(const RowFilter& filter, RowOrder order,
                                      const std::function<bool(const Outcome&)>& take) const;

  // The kept rows of these jobs, in order: as for_each, for one who comes often and reads little at a time.
  std::optional<LedgerError> read_rows(JobSpan jobs, const std::function<bool(const Outcome&)>& take);

  // For tests: the file cannot grow beyond so many pages; the log is moved into the file at so many.
  void test_limit_pages(std::uint64_t pages);
  void test_checkpoint_at(std::uint64_t pages) { log_pages_max_ = pages; }

 private:
  friend class LedgerVerifier;  // reads the tables as they stand

  struct StagedRow {
    JobId job = 0;
    std::size_t offset = 0;  // into the records
  };

  LedgerFile(std::string path, SqliteDatabase database);
  std::optional<LedgerError> set_up_connection();
  std::optional<LedgerError> write_schema();
  std::optional<LedgerError> prepare_statements();
  std::optional<LedgerError> load();       // everything that open checks
  std::optional<LedgerError> load_head();  // the format, the run and the books, which are those of sequence_
  std::optional<LedgerError> load_run();
  std::variant<std::uint64_t, LedgerError> load_books();  // which commit's they are
  std::optional<LedgerError> check_chain(std::uint64_t books_sequence);
  std::optional<LedgerError> take_link(const CommitLink& link, const std::vector<CompletedSpan>& completed);
  std::optional<LedgerError> check_books(std::uint64_t books_sequence, const CommitLink& last);
  std::variant<RangeSet, LedgerError> completed_where(const std::string& condition) const;
  std::optional<LedgerError> for_each_by_commit(const RowFilter& filter,
                                                const std::function<bool(const Outcome&)>& take) const;

  void complete(JobSpan jobs, Status status, bool without_row);
  std::optional<LedgerError> take_as_done(const JobCounts& counts);
  // Records lie one after the other, as they are hashed.
  struct Staged {
    std::string records;
    std::vector<StagedRow> rows;
    std::vector<CompletedSpan> completed;
    Digest kept_hash;
    void append(Staged& more);
    void clear();
  };

  bool write_transaction();
  bool insert_rows(std::uint64_t sequence);
  bool insert_completed(std::uint64_t sequence);
  bool insert_commit(const CommitLink& link);
  bool write_books(const LedgerBooks& books, std::uint64_t sequence);
  std::optional<LedgerError> sync_what_was_read();
  std::optional<LedgerError> checkpoint();
  LedgerError error_of(const std::string& doing) const;
  LedgerError damage(const std::string& what) const;

  std::string path_;
  mutable SqliteDatabase database_;
  LedgerRun run_;
  LedgerBooks books_;
  std::uint64_t sequence_ = 0;
  Digest chain_;
  RangeSet done_;
  std::optional<LedgerError> fatal_;
  std::uint64_t log_pages_max_;

  Staged staged_;   // until the next commit
  Staged writing_;  // being committed, or to be tried again
  LedgerBooks writing_books_;
  CommitLink writing_link_;
  std::optional<LedgerError> write_error_;

  SqliteStatement insert_row_;
  SqliteStatement insert_completed_;
  SqliteStatement insert_commit_;
  SqliteStatement update_books_;
  SqliteStatement select_rows_;
};

// What a complete check found out. Sound exactly when there are no findings.
struct VerifyResult {
  std::uint64_t commits = 0;
  std::uint64_t jobs = 0;             // completed
  std::uint64_t rows = 0;             // kept, and hashed again
  bool recomputed = false;            // all outcomes are kept, so digest and aggregate were computed anew
  std::vector<std::string> findings;  // sentences
};

// Opens the ledger to read it, checks what LedgerFile::open does, has SQLite check its structure, hashes all
// kept rows against the chain, matches them with the completed jobs and, where every row is kept, computes
// counts, digest and aggregate anew. An error where the file cannot be opened or read to its end.
std::variant<VerifyResult, LedgerError> verify_ledger(const std::string& folder);

}  // namespace fantail
