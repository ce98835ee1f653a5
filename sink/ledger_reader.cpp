// Reading a ledger: what open checks, and the rows.
#include <algorithm>

#include "sink/ledger_file.h"
#include "sink/ledger_tables.h"

namespace fantail {

namespace {

bool is_status(std::uint64_t status) {
  return status >= static_cast<std::uint64_t>(Status::kOk) &&
         status <= static_cast<std::uint64_t>(Status::kExpired);
}

// The columns first, count, status and without_row from `column` on; empty where no commit can have written
// them.
std::optional<CompletedSpan> read_span(const SqliteStatement& statement, int column) {
  const std::uint64_t first = statement.integer(column), count = statement.integer(column + 1);
  const std::uint64_t status = statement.integer(column + 2);
  if (count == 0 || first + count < first || !is_status(status)) return std::nullopt;
  return CompletedSpan{
      {first, first + count}, static_cast<Status>(status), statement.integer(column + 3) != 0};
}

std::optional<CommitLink> read_link(const SqliteStatement& statement) {
  const auto kept = Digest::from_hex(statement.bytes(1)), books = Digest::from_hex(statement.bytes(2));
  const auto chain = Digest::from_hex(statement.bytes(6));
  if (!kept || !books || !chain) return std::nullopt;
  return CommitLink{statement.integer(0),
                    *kept,
                    *books,
                    {statement.integer(3), statement.integer(4), statement.integer(5)},
                    *chain};
}

}  // namespace

LedgerError LedgerFile::damage(const std::string& what) const {
  return {LedgerFault::kFatal,
          path_ + " is damaged: " + what + "; put a copy in its place, or start the run anew", true};
}

std::optional<LedgerError> LedgerFile::load() {
  const ReadTransaction one_state(database_);
  done_.clear();
  if (auto error = load_head()) return error;
  return check_chain(sequence_);
}

std::optional<LedgerError> LedgerFile::load_head() {
  const ReadTransaction one_state(database_);
  const std::optional<std::uint64_t> id = database_.query_integer("PRAGMA application_id");
  const std::optional<std::uint64_t> version = database_.query_integer("PRAGMA user_version");
  if (!id || !version) return error_of("read");
  if (*id != kLedgerApplicationId)
    return LedgerError{LedgerFault::kFatal, path_ + " is not a ledger of fantail: name another folder"};
  if (*version != kLedgerVersion) {
    return LedgerError{LedgerFault::kFatal, path_ + " has the format " + std::to_string(*version) + ", not " +
                                                std::to_string(kLedgerVersion) +
                                                ": use the release that wrote it"};
  }
  if (auto error = load_run()) return error;
  const auto books_sequence = load_books();
  if (const auto* error = std::get_if<LedgerError>(&books_sequence)) return *error;
  sequence_ = std::get<std::uint64_t>(books_sequence);
  return std::nullopt;
}

std::optional<LedgerError> LedgerFile::load_run() {
  auto select = database_.prepare("SELECT run_id, kind, spec, command, keep, created_at FROM run");
  if (!select) return error_of("read");
  if (!select->step()) return select->failed() ? error_of("read") : damage("the table run is empty");
  run_.run_id = select->bytes(0);
  run_.kind = select->bytes(1);
  run_.spec = select->bytes(2);
  run_.command = select->bytes(3);
  const std::string keep(select->bytes(4));
  run_.created_at = select->integer(5);
  for (const Keep each : {Keep::kAll, Keep::kFailures, Keep::kSummary}) {
    if (keep != keep_name(each)) continue;
    run_.keep = each;
    return std::nullopt;
  }
  return damage("the table run keeps '" + keep + "'");
}

std::variant<std::uint64_t, LedgerError> LedgerFile::load_books() {
  auto select = database_.prepare(
      "SELECT commit_sequence, submitted, ok, failed, cancelled, expired, digest, state, aggregate FROM "
      "books");
  if (!select) return error_of("read");
  if (!select->step()) return select->failed() ? error_of("read") : damage("the table books is empty");
  books_.counts.submitted = select->integer(1);
  books_.counts.ok = select->integer(2);
  books_.counts.failed = select->integer(3);
  books_.counts.cancelled = select->integer(4);
  books_.counts.expired = select->integer(5);
  const std::optional<Digest> digest = Digest::from_hex(select->bytes(6));
  if (!digest) return damage("the digest in the table books is not one");
  books_.digest = *digest;
  books_.state = select->bytes(7);
  books_.aggregate = select->bytes(8);
  return select->integer(0);
}

std::optional<LedgerError> LedgerFile::check_chain(std::uint64_t books_sequence) {
  auto commits = database_.prepare(
      "SELECT sequence, kept_hash, books_hash, output_length, output_sequence, output_next_job, chain FROM "
      "commits ORDER BY sequence");
  auto completed = database_.prepare(
      "SELECT commit_sequence, first, count, status, without_row FROM completed "
      "ORDER BY commit_sequence, first");
  if (!commits || !completed) return error_of("read");
  chain_ = hash_run(run_);
  std::uint64_t expected = 0;
  CommitLink last;
  std::vector<CompletedSpan> spans;
  bool has_span = completed->step();
  while (commits->step()) {
    const std::string name = "commit " + std::to_string(expected);
    if (commits->integer(0) != expected) return damage(name + " is missing");
    const std::optional<CommitLink> link = read_link(*commits);
    if (!link) return damage("a hash of " + name + " is not one");
    spans.clear();
    while (has_span && completed->integer(0) == expected) {
      const std::optional<CompletedSpan> span = read_span(*completed, 1);
      if (!span) return damage("the completed jobs of " + name + " are not a range");
      spans.push_back(*span);
      has_span = completed->step();
    }
    if (completed->failed()) return error_of("read");
    if (auto error = take_link(*link, spans)) return error;
    last = *link;
    ++expected;
  }
  if (commits->failed() || completed->failed()) return error_of("read");
  if (expected == 0) return damage("the table commits is empty");
  if (has_span) {
    return damage("there are completed jobs of commit " + std::to_string(completed->integer(0)) +
                  ", which is missing");
  }
  return check_books(books_sequence, last);
}

std::optional<LedgerError> LedgerFile::take_link(const CommitLink& link,
                                                 const std::vector<CompletedSpan>& completed) {
  const std::string name = "commit " + std::to_string(link.sequence);
  if (hash_link(chain_, link, completed) != link.chain) {
    return damage(link.sequence == 0 ? "the tables run and commits do not fit together"
                                     : name + " and its completed jobs do not fit the hash of the chain");
  }
  for (const CompletedSpan& span : completed) {
    if (done_.insert(span.jobs) != span.jobs.size())
      return damage("a job of " + name + " was completed before");
  }
  chain_ = link.chain;
  sequence_ = link.sequence;
  return std::nullopt;
}

std::optional<LedgerError> LedgerFile::check_books(std::uint64_t books_sequence, const CommitLink& last) {
  if (books_sequence != last.sequence) {
    return damage("the books are those of commit " + std::to_string(books_sequence) +
                  ", and the last commit is " + std::to_string(last.sequence));
  }
  if (hash_books(books_) != last.books_hash)
    return damage("the books do not fit the hash of the last commit");
  books_.output = last.output;
  auto sums = database_.prepare("SELECT status, sum(count) FROM completed GROUP BY status");
  if (!sums) return error_of("read");
  JobCounts counts;
  while (sums->step()) {
    const std::uint64_t sum = sums->integer(1);
    switch (static_cast<Status>(sums->integer(0))) {
      case Status::kOk:
        counts.ok = sum;
        break;
      case Status::kFailed:
        counts.failed = sum;
        break;
      case Status::kCancelled:
        counts.cancelled = sum;
        break;
      case Status::kExpired:
        counts.expired = sum;
        break;
    }
  }
  if (sums->failed()) return error_of("read");
  if (counts.ok != books_.counts.ok || counts.failed != books_.counts.failed ||
      counts.cancelled != books_.counts.cancelled || counts.expired != books_.counts.expired) {
    return damage("the books count " + std::to_string(books_.counts.done()) + " jobs, and " +
                  std::to_string(counts.done()) + " are completed, or they ended otherwise");
  }
  return std::nullopt;
}

std::variant<RangeSet, LedgerError> LedgerFile::done_with(Status status) const {
  return completed_where("status = " + std::to_string(static_cast<int>(status)));
}

std::variant<RangeSet, LedgerError> LedgerFile::done_without_rows() const {
  return completed_where("without_row = 1");
}

std::variant<RangeSet, LedgerError> LedgerFile::completed_where(const std::string& condition) const {
  auto select = database_.prepare("SELECT first, count FROM completed WHERE " + condition);
  if (!select) return error_of("read");
  RangeSet jobs;
  while (select->step())
    jobs.insert({select->integer(0), select->integer(0) + select->integer(1)});
  if (select->failed()) return error_of("read");
  return jobs;
}

std::optional<LedgerError> LedgerFile::for_each(const RowFilter& filter, RowOrder order,
                                                const std::function<bool(const Outcome&)>& take) const {
  const ReadTransaction one_state(database_);
  if (order == RowOrder::kCommits) return for_each_by_commit(filter, take);
  std::string sql = "SELECT " FANTAIL_OUTCOME_COLUMNS
                    " FROM outcomes WHERE job >= ?1 AND commit_sequence > ?2 AND job < ?3 "
                    "AND commit_sequence <= ?4";
  if (filter.status) sql += " AND status = " + std::to_string(static_cast<int>(*filter.status));
  auto select = database_.prepare(sql + " ORDER BY job");
  if (!select) return error_of("read");
  select->bind(1, filter.from_job);
  select->bind(2, filter.after_commit);
  select->bind(3, filter.before_job);
  select->bind(4, filter.up_to_commit);
  while (select->step()) {
    if (!take(read_outcome(*select))) return std::nullopt;
  }
  return select->failed() ? std::optional(error_of("read")) : std::nullopt;
}

std::optional<LedgerError> LedgerFile::read_rows(JobSpan jobs,
                                                 const std::function<bool(const Outcome&)>& take) {
  select_rows_.bind(1, jobs.first);
  select_rows_.bind(2, jobs.end);
  while (select_rows_.step()) {
    if (take(read_outcome(select_rows_))) continue;
    select_rows_.reset();
    return std::nullopt;
  }
  return select_rows_.failed() ? std::optional(error_of("read")) : std::nullopt;
}

// The rows have no index of commits, which would cost a third of the speed: `completed` leads to them.
std::optional<LedgerError> LedgerFile::for_each_by_commit(
    const RowFilter& filter, const std::function<bool(const Outcome&)>& take) const {
  auto spans = database_.prepare(
      "SELECT first, count, status, without_row, commit_sequence FROM completed "
      "WHERE commit_sequence > ?1 AND first + count > ?2 AND commit_sequence <= ?3 AND first < ?4 AND "
      "without_row = 0 ORDER BY commit_sequence, "
      "first");
  auto rows = database_.prepare("SELECT " FANTAIL_OUTCOME_COLUMNS
                                " FROM outcomes WHERE job >= ?1 AND job < ?2 AND commit_sequence = ?3 "
                                "ORDER BY job");
  if (!spans || !rows) return error_of("read");
  spans->bind(1, filter.after_commit);
  spans->bind(2, filter.from_job);
  spans->bind(3, filter.up_to_commit);
  spans->bind(4, filter.before_job);
  while (spans->step()) {
    const std::optional<CompletedSpan> span = read_span(*spans, 0);
    if (!span) return damage("completed jobs are not a range");
    if (!keeps(span->status) || (filter.status && *filter.status != span->status)) continue;
    rows->bind(1, std::max(span->jobs.first, filter.from_job));
    rows->bind(2, std::min(span->jobs.end, filter.before_job));
    rows->bind(3, spans->integer(4));
    while (rows->step()) {
      if (!take(read_outcome(*rows))) return std::nullopt;
    }
    if (rows->failed()) return error_of("read");
  }
  return spans->failed() ? std::optional(error_of("read")) : std::nullopt;
}

}  // namespace fantail
