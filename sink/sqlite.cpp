#include "sink/sqlite.h"

#include <sqlite3.h>

#include <cerrno>

namespace fantail {

namespace {

// As a file: URI, in which these three would mean something.
std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const char letter : path) {
    if (letter == '%') {
      uri += "%25";
    } else if (letter == '?') {
      uri += "%3f";
    } else if (letter == '#') {
      uri += "%23";
    } else {
      uri += letter;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

SqliteStatement::~SqliteStatement() {
  sqlite3_finalize(statement_);
}

void SqliteStatement::bind(int parameter, std::uint64_t value) {
  sqlite3_bind_int64(statement_, parameter, static_cast<sqlite3_int64>(value));
}

// An empty view may have no address, which SQLite takes for null.
void SqliteStatement::bind_text(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_, parameter, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
}

void SqliteStatement::bind_blob(int parameter, std::string_view bytes) {
  sqlite3_bind_blob64(statement_, parameter, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
}

void SqliteStatement::bind_null(int parameter) {
  sqlite3_bind_null(statement_, parameter);
}

bool SqliteStatement::step() {
  const int code = sqlite3_step(statement_);
  failed_ = code != SQLITE_ROW && code != SQLITE_DONE;
  if (code == SQLITE_ROW) return true;
  sqlite3_reset(statement_);
  return false;
}

void SqliteStatement::finish() {
  while (step()) {
  }
}

void SqliteStatement::reset() {
  sqlite3_reset(statement_);
}

std::uint64_t SqliteStatement::integer(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
}

std::string_view SqliteStatement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::variant<SqliteDatabase, SqliteError> SqliteDatabase::open(const std::string& path, Mode mode) {
  // Nobody asks how much memory it has, and counting it costs a lock per allocation.
  [[maybe_unused]] static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3* handle = nullptr;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const bool at_rest = mode == Mode::kReadAtRest;
  flags |= at_rest || mode == Mode::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == Mode::kCreate) flags |= SQLITE_OPEN_CREATE;
  if (at_rest) flags |= SQLITE_OPEN_URI;
  const int code = sqlite3_open_v2((at_rest ? uri_of(path) : path).c_str(), &handle, flags, nullptr);
  SqliteDatabase database(handle);
  if (handle == nullptr) return SqliteError{code, 0, sqlite3_errstr(code)};
  if (code != SQLITE_OK) return database.error();
  return database;
}

SqliteDatabase::SqliteDatabase(sqlite3* handle) : handle_(handle), wal_(std::make_unique<Wal>()) {
  // SQLite's own hook checkpoints and does not tell of errors: a failed fsync would pass unseen.
  if (handle_ != nullptr) sqlite3_wal_hook(handle_, &SqliteDatabase::on_commit_to_log, wal_.get());
}

SqliteDatabase::~SqliteDatabase() {
  sqlite3_close_v2(handle_);  // waits for the statements that are still there
}

int SqliteDatabase::on_commit_to_log(void* wal, sqlite3*, const char*, int pages) {
  static_cast<Wal*>(wal)->pages = static_cast<std::uint64_t>(pages);
  return SQLITE_OK;
}

bool SqliteDatabase::execute(const char* sql) {
  return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

std::optional<SqliteStatement> SqliteDatabase::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return std::nullopt;
  return SqliteStatement(statement);
}

std::optional<std::uint64_t> SqliteDatabase::query_integer(std::string_view sql) {
  std::optional<SqliteStatement> statement = prepare(sql);
  if (!statement) return std::nullopt;
  std::uint64_t value = 0;
  if (statement->step()) {
    value = statement->integer(0);
    statement->finish();
  }
  if (statement->failed()) return std::nullopt;
  return value;
}

std::optional<std::string> SqliteDatabase::query_text(std::string_view sql) {
  std::optional<SqliteStatement> statement = prepare(sql);
  if (!statement) return std::nullopt;
  std::string value;
  if (statement->step()) {
    value = statement->bytes(0);
    statement->finish();
  }
  if (statement->failed()) return std::nullopt;
  return value;
}

bool SqliteDatabase::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

bool SqliteDatabase::checkpoint() {
  return sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) ==
         SQLITE_OK;
}

std::optional<SqliteError> SqliteDatabase::sync_log() {
  sqlite3_file* log = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log == nullptr || log->pMethods == nullptr) return std::nullopt;
  const int code = log->pMethods->xSync(log, SQLITE_SYNC_FULL);
  if (code == SQLITE_OK) return std::nullopt;
  return SqliteError{code, errno_of_files(), sqlite3_errstr(code)};
}

void SqliteDatabase::keep_log_on_close() const {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

SqliteError SqliteDatabase::error() const {
  const int code = sqlite3_extended_errcode(handle_);
  const int system_errno = (code & 0xFF) == SQLITE_IOERR ? errno_of_files() : sqlite3_system_errno(handle_);
  return {code, system_errno, sqlite3_errmsg(handle_)};
}

// SQLite 3.40 does not keep the errno of a failed COMMIT; the file and the log remember theirs. Where both
// failed some time, the one that is not for want of space counts.
int SqliteDatabase::errno_of_files() const {
  int result = 0;
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(handle_, "main", which, &file);
    if (file == nullptr || file->pMethods == nullptr) continue;
    int last = 0;
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &last);
    if (last == 0) continue;
    result = last;
    if (last != ENOSPC && last != EDQUOT) return result;
  }
  return result;
}

}  // namespace fantail
