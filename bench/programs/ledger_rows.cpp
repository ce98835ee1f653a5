// What SQLite alone takes: the rows of a ledger that a run with --keep all has left, written into a new file
// with the same schema, in the same transactions, as durable as there. Reads them into memory first. Prints
// one JSON object.
//   bench-ledger-rows LEDGER.DB NEW.DB
#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

// What the ledger sets: its log is moved into the file at 16 MiB.
constexpr std::int64_t kLogBytesMax = std::int64_t{16} << 20;

void require(bool good, sqlite3* database, const char* what) {
  if (good) return;
  std::fprintf(stderr, "bench-ledger-rows: %s: %s\n", what,
               database != nullptr ? sqlite3_errmsg(database) : "");
  std::exit(1);
}

class Statement {
 public:
  Statement(sqlite3* database, const std::string& text) : database_(database) {
    require(sqlite3_prepare_v2(database, text.c_str(), -1, &statement_, nullptr) == SQLITE_OK, database,
            text.c_str());
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool step() {
    const int code = sqlite3_step(statement_);
    require(code == SQLITE_ROW || code == SQLITE_DONE, database_, "step");
    return code == SQLITE_ROW;
  }
  sqlite3_stmt* raw() { return statement_; }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

// One value of one row: a number, or bytes in Rows::bytes.
struct Value {
  int type = SQLITE_NULL;
  std::int64_t number_or_offset = 0;
  int size = 0;
};

struct Rows {
  int columns = 0;
  std::vector<Value> values;
  std::string bytes;
  std::vector<std::size_t> transaction_ends;  // in rows
  std::size_t count() const { return values.size() / static_cast<std::size_t>(columns); }
};

sqlite3* open_database(const char* path, int flags) {
  sqlite3* database = nullptr;
  require(sqlite3_open_v2(path, &database, flags, nullptr) == SQLITE_OK, database, path);
  return database;
}

void execute(sqlite3* database, const std::string& text) {
  require(sqlite3_exec(database, text.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, database,
          text.c_str());
}

Value read_value(sqlite3_stmt* row, int column, std::string& bytes) {
  Value value;
  value.type = sqlite3_column_type(row, column);
  if (value.type == SQLITE_INTEGER) {
    value.number_or_offset = sqlite3_column_int64(row, column);
  } else if (value.type != SQLITE_NULL) {
    value.size = sqlite3_column_bytes(row, column);
    value.number_or_offset = static_cast<std::int64_t>(bytes.size());
    bytes.append(static_cast<const char*>(sqlite3_column_blob(row, column)),
                 static_cast<std::size_t>(value.size));
  }
  return value;
}

Rows read_rows(sqlite3* ledger) {
  Rows rows;
  Statement select(ledger, "SELECT commit_sequence, * FROM outcomes ORDER BY commit_sequence, job");
  rows.columns = sqlite3_column_count(select.raw()) - 1;
  std::int64_t transaction = -1;
  while (select.step()) {
    const std::int64_t of_row = sqlite3_column_int64(select.raw(), 0);
    if (of_row != transaction && transaction >= 0) rows.transaction_ends.push_back(rows.count());
    transaction = of_row;
    for (int column = 1; column <= rows.columns; ++column)
      rows.values.push_back(read_value(select.raw(), column, rows.bytes));
  }
  require(!rows.values.empty(), nullptr, "the ledger has no rows");
  rows.transaction_ends.push_back(rows.count());
  return rows;
}

bool same(const Rows& rows, const Value& a, const Value& b) {
  if (a.type != b.type || a.size != b.size) return false;
  if (a.type == SQLITE_NULL) return true;
  if (a.type == SQLITE_INTEGER) return a.number_or_offset == b.number_or_offset;
  return std::memcmp(rows.bytes.data() + a.number_or_offset, rows.bytes.data() + b.number_or_offset,
                     static_cast<std::size_t>(a.size)) == 0;
}

void bind(sqlite3_stmt* insert, int parameter, const Rows& rows, const Value& value) {
  const char* bytes = rows.bytes.data() + value.number_or_offset;
  switch (value.type) {
    case SQLITE_INTEGER:
      sqlite3_bind_int64(insert, parameter, value.number_or_offset);
      break;
    case SQLITE_TEXT:
      sqlite3_bind_text(insert, parameter, bytes, value.size, SQLITE_STATIC);
      break;
    case SQLITE_BLOB:
      sqlite3_bind_blob(insert, parameter, bytes, value.size, SQLITE_STATIC);
      break;
    default:
      sqlite3_bind_null(insert, parameter);
  }
}

// What is as in the row before stays bound, which is a good part of the time.
void insert_row(Statement& insert, const Rows& rows, std::size_t row) {
  const auto columns = static_cast<std::size_t>(rows.columns);
  for (std::size_t column = 0; column < columns; ++column) {
    const Value& value = rows.values[row * columns + column];
    if (row == 0 || !same(rows, value, rows.values[(row - 1) * columns + column]))
      bind(insert.raw(), static_cast<int>(column) + 1, rows, value);
  }
  insert.step();
  sqlite3_reset(insert.raw());
}

// The table alone: fantail writes ranges, books and hashes beside it, and those are its own cost.
void prepare(sqlite3* copy, sqlite3* ledger) {
  Statement page_size(ledger, "PRAGMA page_size");
  page_size.step();
  const std::int64_t bytes = sqlite3_column_int64(page_size.raw(), 0);
  execute(copy, "PRAGMA page_size = " + std::to_string(bytes));
  execute(copy, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384");
  execute(copy, "PRAGMA wal_autocheckpoint = " + std::to_string(kLogBytesMax / bytes));
  Statement schema(ledger, "SELECT sql FROM sqlite_schema WHERE tbl_name = 'outcomes' AND sql IS NOT NULL");
  while (schema.step())
    execute(copy, reinterpret_cast<const char*>(sqlite3_column_text(schema.raw(), 0)));
}

double write_rows(sqlite3* copy, const Rows& rows) {
  std::string text = "INSERT INTO outcomes VALUES (?";
  for (int column = 1; column < rows.columns; ++column)
    text += ",?";
  Statement insert(copy, text + ")");
  Statement begin(copy, "BEGIN IMMEDIATE");
  Statement commit(copy, "COMMIT");
  const auto start = std::chrono::steady_clock::now();
  std::size_t row = 0;
  for (const std::size_t end : rows.transaction_ends) {
    begin.step();
    sqlite3_reset(begin.raw());
    for (; row < end; ++row)
      insert_row(insert, rows, row);
    commit.step();
    sqlite3_reset(commit.raw());
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench-ledger-rows LEDGER.DB NEW.DB\n");
    return 2;
  }
  sqlite3* ledger = open_database(argv[1], SQLITE_OPEN_READONLY);
  sqlite3* copy = open_database(argv[2], SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const Rows rows = read_rows(ledger);
  prepare(copy, ledger);
  const double seconds = write_rows(copy, rows);
  std::printf("{\"rate\": %.0f, \"rows\": %zu, \"transactions\": %zu}\n",
              static_cast<double>(rows.count()) / seconds, rows.count(), rows.transaction_ends.size());
  sqlite3_close(copy);
  sqlite3_close(ledger);
  return 0;
}
