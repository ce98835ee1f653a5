// The complete check of a ledger.
#include <array>
#include <nlohmann/json.hpp>

#include "kinds.pb.h"
#include "sink/kinds/kind.h"
#include "sink/ledger_file.h"
#include "sink/ledger_tables.h"

namespace fantail {

namespace {

constexpr std::size_t kFindingsMax = 20;

std::string jobs_text(JobSpan jobs) {
  if (jobs.size() == 1) return "job " + std::to_string(jobs.first);
  return "jobs " + std::to_string(jobs.first) + " to " + std::to_string(jobs.end - 1);
}

std::size_t index_of(Status status) {
  return static_cast<std::size_t>(status) - 1;
}

}  // namespace

class LedgerVerifier {
 public:
  explicit LedgerVerifier(LedgerFile& ledger) : ledger_(ledger), database_(ledger.database_) {}

  std::variant<VerifyResult, LedgerError> verify() {
    // The run may go on meanwhile: everything is compared within one state of the file.
    const ReadTransaction one_state(database_);
    if (auto error = ledger_.load()) return *error;
    result_.commits = ledger_.sequence();
    result_.jobs = ledger_.done().size();
    std::optional<LedgerError> error = check_structure();
    if (!error) error = read_completed();
    if (!error) error = read_rows();
    if (error) return *error;
    report_missing_rows();
    if (auto hash_error = compare_hashes()) return *hash_error;
    if (result_.recomputed) compare_books();
    return std::move(result_);
  }

 private:
  void find(std::string sentence) {
    if (result_.findings.size() < kFindingsMax) result_.findings.push_back(std::move(sentence));
  }

  std::optional<LedgerError> check_structure() {
    auto check = database_.prepare("PRAGMA integrity_check(20)");
    if (!check) return ledger_.error_of("read");
    while (check->step()) {
      if (check->bytes(0) != "ok") find("SQLite: " + std::string(check->bytes(0)));
    }
    return check->failed() ? std::optional(ledger_.error_of("read")) : std::nullopt;
  }

  // Which jobs must have a row.
  std::optional<LedgerError> read_completed() {
    auto select = database_.prepare("SELECT first, count, status FROM completed WHERE without_row = 0");
    if (!select) return ledger_.error_of("read");
    while (select->step()) {
      const auto status = static_cast<Status>(select->integer(2));
      if (!ledger_.keeps(status)) continue;
      const JobSpan jobs{select->integer(0), select->integer(0) + select->integer(1)};
      expected_[index_of(status)].insert(jobs);
    }
    return select->failed() ? std::optional(ledger_.error_of("read")) : std::nullopt;
  }

  std::optional<LedgerError> read_rows() {
    proto::KindSpec spec;
    if (spec.ParseFromString(ledger_.run().spec)) kind_ = make_kind(spec);
    if (kind_ == nullptr) find("this release does not know the kind of the run: " + ledger_.run().kind);
    result_.recomputed = kind_ != nullptr && ledger_.run().keep == Keep::kAll;
    auto select =
        database_.prepare("SELECT " FANTAIL_OUTCOME_COLUMNS ", commit_sequence FROM outcomes ORDER BY job");
    if (!select) return ledger_.error_of("read");
    hashes_.resize(ledger_.sequence() + 1);
    while (select->step())
      take_row(read_outcome(*select), select->integer(10));
    return select->failed() ? std::optional(ledger_.error_of("read")) : std::nullopt;
  }

  void take_row(const Outcome& outcome, std::uint64_t commit) {
    ++result_.rows;
    const std::string name = "the row of job " + std::to_string(outcome.job);
    const std::size_t status = index_of(outcome.status);
    if (commit >= hashes_.size()) {
      find(name + " names commit " + std::to_string(commit) + ", which does not exist");
      return;
    }
    if (status >= expected_.size() || !expected_[status].contains(outcome.job)) {
      find(name + " ended otherwise than the table completed says, or stands there without need");
      seen_.insert(outcome.job);
      return;
    }
    record_.clear();
    hashes_[commit].add(append_record(outcome, record_));
    seen_.insert(outcome.job);
    if (!result_.recomputed) return;
    digest_.add(kind_->add(outcome));
  }

  void report_missing_rows() {
    for (const RangeSet& jobs : expected_) {
      for (const JobSpan& span : jobs.spans()) {
        for (const JobSpan& missing : seen_.missing_from(span))
          find("no row is there of " + jobs_text(missing));
      }
    }
  }

  std::optional<LedgerError> compare_hashes() {
    auto select = database_.prepare("SELECT sequence, kept_hash FROM commits");
    auto bounds =
        database_.prepare("SELECT min(first), max(first + count) FROM completed WHERE commit_sequence = ?1");
    if (!select || !bounds) return ledger_.error_of("read");
    while (select->step()) {
      const std::uint64_t commit = select->integer(0);
      if (hashes_[commit].hex() == select->bytes(1)) continue;
      bounds->bind(1, commit);
      JobSpan jobs;
      if (bounds->step()) jobs = {bounds->integer(0), bounds->integer(1)};
      bounds->reset();
      find("the rows of commit " + std::to_string(commit) + " do not fit its hash: one within " +
           jobs_text(jobs) + " was changed");
    }
    return select->failed() ? std::optional(ledger_.error_of("read")) : std::nullopt;
  }

  void compare_books() {
    const LedgerBooks& books = ledger_.books();
    if (digest_ != books.digest) {
      find("the books have the digest " + books.digest.hex() + ", and the rows have " + digest_.hex());
    }
    if (result_.rows == 0 && books.aggregate.empty()) return;
    proto::KindSpec spec;
    spec.ParseFromString(ledger_.run().spec);
    const std::unique_ptr<Kind> stored = make_kind(spec);
    if (!stored->load(books.aggregate)) {
      find("the aggregate in the books is damaged");
      return;
    }
    // A later release may write the same aggregate otherwise: both sides are this one's.
    if (stored->save() == kind_->save()) return;
    const RunSummary none;
    find("the books have the aggregate " + stored->aggregate(none).dump() + ", and the rows have " +
         kind_->aggregate(none).dump());
  }

  LedgerFile& ledger_;
  SqliteDatabase& database_;
  VerifyResult result_;
  std::array<RangeSet, 4> expected_;  // by status
  RangeSet seen_;
  std::vector<Digest> hashes_;  // of the rows that are there, by commit
  std::unique_ptr<Kind> kind_;
  Digest digest_;
  std::string record_;
};

std::variant<VerifyResult, LedgerError> verify_ledger(const std::string& folder) {
  auto opened = LedgerFile::open_to_read(folder);
  if (auto* error = std::get_if<LedgerError>(&opened)) return std::move(*error);
  return LedgerVerifier(*std::get<std::unique_ptr<LedgerFile>>(opened)).verify();
}

}  // namespace fantail
