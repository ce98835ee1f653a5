// A ledger in a folder of its own, outcomes to put in, and the honest books of what was put in.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kinds.pb.h"
#include "outcome_support.h"
#include "sink/ledger_file.h"
#include "sink/sqlite.h"
#include "tests/support/temporary_folder.h"

namespace fantail {

inline std::string echo_spec() {
  proto::KindSpec spec;
  spec.mutable_echo();
  return spec.SerializeAsString();
}

inline LedgerRun make_run(Keep keep) {
  return {"01J00000000000000000000000", "echo", echo_spec(), "fantail run echo", keep, 1'700'000'000};
}

// What the collector does with an outcome, as far as the ledger sees it.
class LedgerScene {
 public:
  explicit LedgerScene(Keep keep = Keep::kAll) {
    proto::KindSpec spec;
    spec.mutable_echo();
    kind_ = make_kind(spec);
    auto created = LedgerFile::create(folder_.path(), make_run(keep));
    if (auto* error = std::get_if<LedgerError>(&created)) {
      ADD_FAILURE() << error->message;
      return;
    }
    ledger_ = std::move(std::get<std::unique_ptr<LedgerFile>>(created));
  }

  LedgerFile& ledger() { return *ledger_; }
  const TemporaryFolder& folder() const { return folder_; }
  LedgerBooks& books() { return books_; }

  void stage(std::uint64_t job, Status status = Status::kOk) {
    const std::string input = "input " + std::to_string(job) + std::string("\0\xFF", 2);
    const std::string payload = job % 3 == 0 ? "payload " + std::to_string(job) : "";
    Outcome outcome = make_outcome(job, status, input, payload);
    outcome.attempt = static_cast<std::uint32_t>(job % 4);
    outcome.worker = job % 5 == 0 ? "" : "host-1";
    outcome.queued_us = job * 7;
    outcome.duration_us = job == 0 ? ~std::uint64_t{0} : job * 3;
    if (status != Status::kOk) {
      outcome.error_code = "code";
      outcome.error_message = "what went wrong";
    }
    books_.digest.add(kind_->add(outcome));
    count(status, 1);
    ledger_->stage(outcome);
  }

  void stage_without_rows(JobSpan jobs, Status status) {
    count(status, jobs.size());
    ledger_->stage_without_rows(jobs, status);
  }

  std::optional<LedgerError> try_commit() {
    books_.counts.submitted = 1'000;
    books_.state = "state " + std::to_string(ledger_->sequence() + 1);
    books_.aggregate = kind_->save();
    return ledger_->commit(books_);
  }

  void commit() {
    if (const auto error = try_commit()) ADD_FAILURE() << error->message;
  }

  void close() { ledger_.reset(); }

  void reopen() {
    close();
    auto opened = LedgerFile::open(folder_.path());
    if (auto* error = std::get_if<LedgerError>(&opened)) FAIL() << error->message;
    ledger_ = std::move(std::get<std::unique_ptr<LedgerFile>>(opened));
  }

 private:
  void count(Status status, std::uint64_t jobs) {
    JobCounts& counts = books_.counts;
    const std::map<Status, std::uint64_t*> places = {{Status::kOk, &counts.ok},
                                                     {Status::kFailed, &counts.failed},
                                                     {Status::kCancelled, &counts.cancelled},
                                                     {Status::kExpired, &counts.expired}};
    *places.at(status) += jobs;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Kind> kind_;
  std::unique_ptr<LedgerFile> ledger_;
  LedgerBooks books_;
};

// What somebody does with the sqlite3 shell.
inline void run_sql(const std::string& file, const std::string& sql) {
  auto opened = SqliteDatabase::open(file, SqliteDatabase::Mode::kOpen);
  auto* database = std::get_if<SqliteDatabase>(&opened);
  ASSERT_NE(database, nullptr);
  ASSERT_TRUE(database->execute(sql.c_str())) << sql << ": " << database->error().text;
}

inline std::vector<std::uint64_t> jobs_read(const LedgerFile& ledger, const RowFilter& filter,
                                            RowOrder order) {
  std::vector<std::uint64_t> jobs;
  const auto error = ledger.for_each(filter, order, [&jobs](const Outcome& outcome) {
    jobs.push_back(outcome.job);
    return true;
  });
  EXPECT_FALSE(error.has_value());
  return jobs;
}

}  // namespace fantail
