// SQLite as the ledger uses it: one connection, prepared statements, errors as values. Knows no tables.
// Belongs to one thread at a time. https://www.sqlite.org/rescode.html has the codes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace fantail {

struct SqliteError {
  int code = 0;          // extended result code
  int system_errno = 0;  // of the system call that failed; 0: none did
  std::string text;      // SQLite's own words
};

class SqliteStatement {
 public:
  SqliteStatement() = default;
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  SqliteStatement(SqliteStatement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  SqliteStatement& operator=(SqliteStatement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~SqliteStatement();

  // Parameters count from 1 and stay bound until they are bound anew. Bytes are not copied: they must stay
  // where they are until the statement was stepped. Integers keep their 64 bits: what is above 2^63 is
  // negative in the file and comes back as it was.
  void bind(int parameter, std::uint64_t value);
  void bind_text(int parameter, std::string_view text);
  void bind_blob(int parameter, std::string_view bytes);
  void bind_null(int parameter);

  // True while there is a row. After the last one, and after an error, the statement begins anew.
  bool step();
  bool failed() const { return failed_; }  // the last step
  // Steps to the end. A statement that writes and has a row, such as a pragma, commits behind its last row,
  // and only there does it tell of an error.
  void finish();
  void reset();

  // Columns count from 0; views are valid until the next step. Null is 0 or empty.
  std::uint64_t integer(int column) const;
  std::string_view bytes(int column) const;

 private:
  sqlite3_stmt* statement_ = nullptr;
  bool failed_ = false;
};

class SqliteDatabase {
 public:
  // kRead: never changes the file, in which others may write meanwhile; files for SQLite's own use may be
  // made beside it. kReadAtRest: neither. Requires of the latter: nobody writes, and there is no log.
  enum class Mode { kCreate, kOpen, kRead, kReadAtRest };
  // Requires nothing of the file's content: what it is shows with the first statement.
  static std::variant<SqliteDatabase, SqliteError> open(const std::string& path, Mode mode);

  SqliteDatabase(SqliteDatabase&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), wal_(std::move(other.wal_)) {}
  SqliteDatabase& operator=(SqliteDatabase&&) = delete;
  ~SqliteDatabase();

  bool execute(const char* sql);
  std::optional<SqliteStatement> prepare(std::string_view sql);  // empty: see error()
  // The first column of the first row: 0 or empty where there is none.
  std::optional<std::uint64_t> query_integer(std::string_view sql);
  std::optional<std::string> query_text(std::string_view sql);
  bool in_transaction() const;
  std::uint64_t pages_in_log() const { return wal_->pages; }  // after the last commit
  // Moves the log's pages into the file, as far as no reader is in the way; where it moves none, it syncs
  // none.
  bool checkpoint();
  // What can be read of the log is on the storage, and its name. Requires: the log was read.
  std::optional<SqliteError> sync_log();
  SqliteError error() const;  // of the last call that failed
  // Closing leaves the log as it is. After a failed fsync it would sync once more, and hear that all is well.
  void keep_log_on_close() const;

 private:
  struct Wal {
    std::uint64_t pages = 0;
  };
  explicit SqliteDatabase(sqlite3* handle);
  int errno_of_files() const;
  static int on_commit_to_log(void* wal, sqlite3* handle, const char* name, int pages);

  sqlite3* handle_ = nullptr;
  std::unique_ptr<Wal> wal_;  // does not move: SQLite has its address
};

// One state of the file for several statements, until the end of the scope. Inside another transaction it is
// part of that one.
class ReadTransaction {
 public:
  explicit ReadTransaction(SqliteDatabase& database)
      : database_(database), is_outermost_(!database.in_transaction() && database.execute("BEGIN")) {}
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;
  ~ReadTransaction() {
    if (is_outermost_) database_.execute("ROLLBACK");
  }

 private:
  SqliteDatabase& database_;
  bool is_outermost_;
};

}  // namespace fantail
