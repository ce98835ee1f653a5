// Making a ledger, staging and committing.
#include "sink/ledger_file.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "pipeline/app/run_folders.h"
#include "sink/ledger_tables.h"

namespace fantail {

namespace {

constexpr const char* kFileName = "/ledger.db";
constexpr std::uint64_t kPageBytes = 8192;
// The log is moved into the file when it is as large: a pause of some 20 ms, and half a second's work at
// most.
constexpr std::uint64_t kLogPagesMax = (std::uint64_t{16} << 20) / kPageBytes;

// The buffer of one unusually large commit is not kept for the next.
constexpr std::size_t kStagedBytesKept = std::size_t{16} << 20;

// Nobody will write in a finished run's ledger, and nobody can where no file can be made beside it; in both
// cases the log must have been moved into the file.
bool is_at_rest(const std::string& folder) {
  std::error_code ignored;
  const bool unchanging = is_run_finished(folder) || access(folder.c_str(), W_OK) != 0;
  return unchanging && !std::filesystem::exists(folder + kFileName + "-wal", ignored);
}

}  // namespace

LedgerFile::LedgerFile(std::string path, SqliteDatabase database)
    : path_(std::move(path)), database_(std::move(database)), log_pages_max_(kLogPagesMax) {}

std::string LedgerFile::path_in(const std::string& folder) {
  return folder + kFileName;
}

bool LedgerFile::exists(const std::string& folder) {
  std::error_code ignored;
  const std::string path = folder + kFileName;
  if (!std::filesystem::exists(path, ignored)) return false;
  auto opened = SqliteDatabase::open(path, SqliteDatabase::Mode::kOpen);
  auto* database = std::get_if<SqliteDatabase>(&opened);
  // Closing would sync it, and keep to itself that it could not.
  if (database != nullptr) database->keep_log_on_close();
  // What cannot be read is there: open() says what is wrong with it.
  return database == nullptr || database->query_integer("SELECT count(*) FROM sqlite_schema") != 0;
}

std::variant<std::unique_ptr<LedgerFile>, LedgerError> LedgerFile::create(const std::string& folder,
                                                                          const LedgerRun& run) {
  const std::string path = folder + kFileName;
  if (exists(folder)) {
    return LedgerError{LedgerFault::kExists,
                       path + " holds a run already: continue that one, or choose another folder"};
  }
  auto opened = SqliteDatabase::open(path, SqliteDatabase::Mode::kCreate);
  if (auto* error = std::get_if<SqliteError>(&opened)) return ledger_error(path, "created", *error);
  std::unique_ptr<LedgerFile> ledger(new LedgerFile(path, std::move(std::get<SqliteDatabase>(opened))));
  ledger->run_ = run;
  std::optional<LedgerError> error = ledger->set_up_connection();
  if (!error) error = ledger->write_schema();
  if (!error) error = ledger->prepare_statements();
  if (error) return *error;
  return ledger;
}

std::variant<std::unique_ptr<LedgerFile>, LedgerError> LedgerFile::open(const std::string& folder) {
  const std::string path = folder + kFileName;
  if (!exists(folder)) return LedgerError{LedgerFault::kMissing, "there is no ledger at " + path};
  auto opened = SqliteDatabase::open(path, SqliteDatabase::Mode::kOpen);
  if (auto* error = std::get_if<SqliteError>(&opened)) return ledger_error(path, "opened", *error);
  std::unique_ptr<LedgerFile> ledger(new LedgerFile(path, std::move(std::get<SqliteDatabase>(opened))));
  std::optional<LedgerError> error = ledger->set_up_connection();
  if (!error) error = ledger->load();
  if (!error) error = ledger->prepare_statements();
  if (!error) error = ledger->sync_what_was_read();
  if (error) return *error;
  return ledger;
}

std::variant<std::unique_ptr<LedgerFile>, LedgerError> LedgerFile::open_to_read(const std::string& folder) {
  const std::string path = folder + kFileName;
  const LedgerError missing{LedgerFault::kMissing, "there is no ledger at " + path};
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return missing;
  using Mode = SqliteDatabase::Mode;
  auto opened = SqliteDatabase::open(path, is_at_rest(folder) ? Mode::kReadAtRest : Mode::kRead);
  if (auto* error = std::get_if<SqliteError>(&opened)) return ledger_error(path, "opened", *error);
  std::unique_ptr<LedgerFile> ledger(new LedgerFile(path, std::move(std::get<SqliteDatabase>(opened))));
  if (!ledger->database_.execute("PRAGMA busy_timeout = 1000; PRAGMA cache_size = -16384;"
                                 "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF")) {
    return ledger->error_of("opened");
  }
  if (ledger->database_.query_integer("SELECT count(*) FROM sqlite_schema") == 0) return missing;
  if (auto error = ledger->load_head()) return *error;
  return ledger;
}

std::optional<LedgerError> LedgerFile::set_up_connection() {
  const std::string page_size = "PRAGMA page_size = " + std::to_string(kPageBytes);
  if (!database_.execute("PRAGMA busy_timeout = 1000") || !database_.execute(page_size.c_str()))
    return error_of("opened");
  const std::optional<std::string> mode = database_.query_text("PRAGMA journal_mode = WAL");
  if (!mode) return error_of("opened");
  if (*mode != "wal") {
    return LedgerError{LedgerFault::kFatal,
                       path_ +
                           " cannot have a write-ahead log: put the state directory on a "
                           "local file system"};
  }
  if (!database_.execute("PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
                         "PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF;"
                         "PRAGMA secure_delete = OFF")) {
    return error_of("opened");
  }
  return std::nullopt;
}

// One transaction: a ledger whose creation was cut short has no tables.
std::optional<LedgerError> LedgerFile::write_schema() {
  const std::string marks = "PRAGMA application_id = " + std::to_string(kLedgerApplicationId) +
                            "; PRAGMA user_version = " + std::to_string(kLedgerVersion);
  if (!database_.execute("BEGIN IMMEDIATE") || !database_.execute(marks.c_str()) ||
      !database_.execute(kLedgerSchema)) {
    return error_of("created");
  }
  auto insert = database_.prepare("INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  if (!insert) return error_of("created");
  insert->bind_text(1, run_.run_id);
  insert->bind_text(2, run_.kind);
  insert->bind_blob(3, run_.spec);
  insert->bind_text(4, run_.command);
  insert->bind_text(5, keep_name(run_.keep));
  insert->bind(6, run_.created_at);
  insert->step();
  if (insert->failed()) return error_of("created");
  // Commit 0 holds nothing: it ties the books, which are empty, to the run.
  if (auto error = prepare_statements()) return error;
  CommitLink link;
  link.books_hash = hash_books(books_);
  link.chain = hash_link(hash_run(run_), link, {});
  if (!insert_commit(link) || !write_books(books_, 0) || !database_.execute("COMMIT"))
    return error_of("created");
  chain_ = link.chain;
  return std::nullopt;
}

std::optional<LedgerError> LedgerFile::prepare_statements() {
  const auto prepare = [this](SqliteStatement& statement, std::string_view sql) {
    std::optional<SqliteStatement> prepared = database_.prepare(sql);
    if (prepared) statement = std::move(*prepared);
    return prepared.has_value();
  };
  if (!prepare(insert_row_, "INSERT INTO outcomes (" FANTAIL_OUTCOME_COLUMNS
                            ", commit_sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)") ||
      !prepare(insert_completed_, "INSERT INTO completed VALUES (?1, ?2, ?3, ?4, ?5)") ||
      !prepare(insert_commit_, "INSERT INTO commits VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)") ||
      !prepare(update_books_, "REPLACE INTO books VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)") ||
      !prepare(select_rows_, "SELECT " FANTAIL_OUTCOME_COLUMNS
                             " FROM outcomes WHERE job >= ?1 AND job < ?2 ORDER BY job")) {
    return error_of("opened");
  }
  return std::nullopt;
}

bool LedgerFile::keeps(Status status) const {
  return run_.keep == Keep::kAll || (run_.keep == Keep::kFailures && status != Status::kOk);
}

void LedgerFile::stage(const Outcome& outcome) {
  if (keeps(outcome.status)) {
    staged_.rows.push_back({outcome.job, staged_.records.size()});
    staged_.kept_hash.add(append_record(outcome, staged_.records));
  }
  complete({outcome.job, outcome.job + 1}, outcome.status, false);
}

void LedgerFile::stage_without_rows(JobSpan jobs, Status status) {
  if (jobs.size() > 0) complete(jobs, status, true);
}

void LedgerFile::complete(JobSpan jobs, Status status, bool without_row) {
  if (!staged_.completed.empty()) {
    CompletedSpan& last = staged_.completed.back();
    if (last.jobs.end == jobs.first && last.status == status && last.without_row == without_row) {
      last.jobs.end = jobs.end;
      return;
    }
  }
  staged_.completed.push_back({jobs, status, without_row});
}

void LedgerFile::Staged::append(Staged& more) {
  if (completed.empty()) {
    std::swap(*this, more);
    return;
  }
  for (const StagedRow& row : more.rows)
    rows.push_back({row.job, records.size() + row.offset});
  records += more.records;
  completed.insert(completed.end(), more.completed.begin(), more.completed.end());
  kept_hash.add({more.kept_hash.low, more.kept_hash.high});
  more.clear();
}

void LedgerFile::Staged::clear() {
  if (records.capacity() > kStagedBytesKept) records = {};
  records.clear();
  rows.clear();
  completed.clear();
  kept_hash = {};
}

std::optional<LedgerError> LedgerFile::commit(const LedgerBooks& books) {
  begin_commit(books);
  write_commit();
  return end_commit();
}

void LedgerFile::begin_commit(LedgerBooks books) {
  writing_.append(staged_);
  writing_books_ = std::move(books);
}

void LedgerFile::write_commit() {
  write_error_.reset();
  if (fatal_) return;
  coalesce(writing_.completed);
  if ((fatal_ = take_as_done(writing_books_.counts))) return;
  writing_link_ = {};
  writing_link_.sequence = sequence_ + 1;
  writing_link_.kept_hash = writing_.kept_hash;
  writing_link_.books_hash = hash_books(writing_books_);
  writing_link_.output = writing_books_.output;
  writing_link_.chain = hash_link(chain_, writing_link_, writing_.completed);
  if (!write_transaction()) {
    write_error_ = error_of("written");
    if (database_.in_transaction()) database_.execute("ROLLBACK");
    for (const CompletedSpan& span : writing_.completed)
      done_.erase(span.jobs);
    if (write_error_->fault == LedgerFault::kFatal) fatal_ = write_error_;
    return;
  }
  sequence_ = writing_link_.sequence;
  chain_ = writing_link_.chain;
  books_ = writing_books_;
  writing_.clear();
  if (database_.pages_in_log() >= log_pages_max_) fatal_ = checkpoint();
}

std::optional<LedgerError> LedgerFile::end_commit() {
  return fatal_ ? fatal_ : write_error_;
}

// SQLite would find a second row of a job, and not a second outcome that has no row.
std::optional<LedgerError> LedgerFile::take_as_done(const JobCounts& counts) {
  for (const CompletedSpan& span : writing_.completed) {
    if (done_.insert(span.jobs) == span.jobs.size()) continue;
    return LedgerError{LedgerFault::kFatal,
                       path_ + " cannot be written: a job of " + std::to_string(span.jobs.first) + " to " +
                           std::to_string(span.jobs.end - 1) +
                           " has its outcome already; this is a defect, and nothing of it "
                           "was written"};
  }
  if (done_.size() == counts.done()) return std::nullopt;
  return LedgerError{LedgerFault::kFatal,
                     path_ + " cannot be written: the books count " + std::to_string(counts.done()) +
                         " jobs, and " + std::to_string(done_.size()) +
                         " have an outcome; this is a defect, and nothing of it was written"};
}

bool LedgerFile::write_transaction() {
  const std::uint64_t sequence = writing_link_.sequence;
  return database_.execute("BEGIN IMMEDIATE") && insert_rows(sequence) && insert_completed(sequence) &&
         insert_commit(writing_link_) && write_books(writing_books_, sequence) && database_.execute("COMMIT");
}

// In the order of jobs, in which SQLite appends. Binding is a good part of the time, so what is as in the row
// before stays bound.
bool LedgerFile::insert_rows(std::uint64_t sequence) {
  const auto by_job = [](const StagedRow& a, const StagedRow& b) { return a.job < b.job; };
  std::vector<StagedRow>& rows = writing_.rows;
  if (!std::is_sorted(rows.begin(), rows.end(), by_job)) std::sort(rows.begin(), rows.end(), by_job);
  const auto bind_text = [this](int parameter, std::string_view text) {
    if (text.empty()) {
      insert_row_.bind_null(parameter);
    } else {
      insert_row_.bind_text(parameter, text);
    }
  };
  insert_row_.bind(11, sequence);
  std::optional<Outcome> before;
  for (const StagedRow& row : rows) {
    const Outcome outcome = read_record(writing_.records.data() + row.offset);
    insert_row_.bind(1, outcome.job);
    if (!before || before->status != outcome.status)
      insert_row_.bind(2, static_cast<std::uint64_t>(outcome.status));
    if (!before || before->attempt != outcome.attempt) insert_row_.bind(3, std::uint64_t{outcome.attempt});
    if (!before || before->worker != outcome.worker) bind_text(4, outcome.worker);
    insert_row_.bind(5, outcome.queued_us);
    insert_row_.bind(6, outcome.duration_us);
    insert_row_.bind_blob(7, outcome.input);
    if (!before || before->error_code != outcome.error_code) bind_text(8, outcome.error_code);
    if (!before || before->error_message != outcome.error_message) bind_text(9, outcome.error_message);
    if (!outcome.payload.empty()) {
      insert_row_.bind_blob(10, outcome.payload);
    } else if (!before || !before->payload.empty()) {
      insert_row_.bind_null(10);
    }
    insert_row_.step();
    if (insert_row_.failed()) return false;
    before = outcome;
  }
  return true;
}

bool LedgerFile::insert_completed(std::uint64_t sequence) {
  insert_completed_.bind(1, sequence);
  for (const CompletedSpan& span : writing_.completed) {
    insert_completed_.bind(2, span.jobs.first);
    insert_completed_.bind(3, span.jobs.size());
    insert_completed_.bind(4, static_cast<std::uint64_t>(span.status));
    insert_completed_.bind(5, std::uint64_t{span.without_row});
    insert_completed_.step();
    if (insert_completed_.failed()) return false;
  }
  return true;
}

bool LedgerFile::insert_commit(const CommitLink& link) {
  const std::string kept = link.kept_hash.hex(), books = link.books_hash.hex(), chain = link.chain.hex();
  insert_commit_.bind(1, link.sequence);
  insert_commit_.bind_text(2, kept);
  insert_commit_.bind_text(3, books);
  insert_commit_.bind(4, link.output.length);
  insert_commit_.bind(5, link.output.sequence);
  insert_commit_.bind(6, link.output.next_job);
  insert_commit_.bind_text(7, chain);
  insert_commit_.step();
  return !insert_commit_.failed();
}

bool LedgerFile::write_books(const LedgerBooks& books, std::uint64_t sequence) {
  const std::string digest = books.digest.hex();
  update_books_.bind(1, sequence);
  update_books_.bind(2, books.counts.submitted);
  update_books_.bind(3, books.counts.ok);
  update_books_.bind(4, books.counts.failed);
  update_books_.bind(5, books.counts.cancelled);
  update_books_.bind(6, books.counts.expired);
  update_books_.bind_text(7, digest);
  update_books_.bind_blob(8, books.state);
  update_books_.bind_blob(9, books.aggregate);
  update_books_.step();
  return !update_books_.failed();
}

// After a kill the log may be in the page cache alone, and after a failed fsync the kernel takes for written
// what is not: nobody is told of what is in it before it is synced, and its pages are written anew.
std::optional<LedgerError> LedgerFile::sync_what_was_read() {
  if (const auto failed = database_.sync_log()) {
    database_.keep_log_on_close();
    return ledger_error(path_, "synced", *failed);
  }
  return checkpoint();
}

// Commits are durable before and without this. Where there is no space for it, or a reader is in its way,
// the log grows until the next one.
std::optional<LedgerError> LedgerFile::checkpoint() {
  if (database_.checkpoint()) return std::nullopt;
  LedgerError error = error_of("written");
  if (error.fault != LedgerFault::kFatal) return std::nullopt;
  return error;
}

LedgerError LedgerFile::error_of(const std::string& doing) const {
  LedgerError error = ledger_error(path_, doing, database_.error());
  if (error.fault == LedgerFault::kFatal) database_.keep_log_on_close();
  return error;
}

void LedgerFile::test_limit_pages(std::uint64_t pages) {
  database_.execute(("PRAGMA max_page_count = " + std::to_string(pages)).c_str());
}

}  // namespace fantail
