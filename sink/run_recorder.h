// The durable side of one run at the sink: its folder with the ledger, and the output that follows the
// ledger. After a restart both are taken up where the last commit left them.
#pragma once

#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "pipeline/app/background_task.h"
#include "pipeline/app/run_lock.h"
#include "sink/collector.h"
#include "sink/ledger_file.h"
#include "sink/options.h"
#include "sink/output_folder.h"
#include "sink/run_output.h"

namespace fantail {

// While there is no run nothing is recorded.
class NoLedger : public Ledger {
 public:
  void record(const Kind&, const Outcome&) override { assert(false); }
  void record_without_rows(JobSpan, Status) override { assert(false); }
};

class RunRecorder : public Ledger {
 public:
  enum class Problem : std::uint8_t {
    kWait,    // nothing is lost and nothing was committed: try again later
    kOutput,  // the rows cannot be written: the run cannot go on
    kFatal,   // the ledger is not to be trusted any more: this process cannot go on
  };
  struct Failure {
    Problem problem = Problem::kFatal;
    std::string message;
  };

  // The answer may be why not, as a sentence. create() takes the folder's lock.
  static std::variant<std::unique_ptr<RunRecorder>, std::string> create(const std::string& state_dir,
                                                                        const proto::RunOpen& open,
                                                                        RunOutput& output, Keep keep);
  static std::variant<std::unique_ptr<RunRecorder>, std::string> take_up(const std::string& folder,
                                                                         RunLock lock, RunOutput& output);
  static bool exists(const std::string& state_dir, const std::string& run_id);

  // What a collector goes on with. Empty: nothing was committed.
  const std::optional<KeptRun>& kept() const { return kept_; }
  // To be added to the instants of kept().
  Duration clock_shift(Instant now) const;
  // Starts the output of a new run.
  std::optional<Failure> begin(const Kind& kind);
  // The rows that are not in the output yet are written again, those in order by and by; the table is filled.
  // Requires: take_up.
  std::optional<Failure> refill(const Kind& kind);
  const std::string& run_text() const { return ledger_->run().run_id; }
  // Whether the rows written so far are in this process's file of rows.
  bool same_output() const { return kept_ && kept_->books.output() == output_.path(); }
  // Empty: all rows can be in this process's output. Else why not.
  std::string refuse_output() const;

  void record(const Kind& kind, const Outcome& outcome) override;
  bool record_output(const std::string& worker_id, const proto::JobOutput& output) override;
  void record_without_rows(JobSpan jobs, Status status) override;
  bool has_output_fault() const { return outputs_.has_fault(); }  // the next commit tells which
  std::uint64_t staged_bytes() const { return ledger_->staged_bytes() + outputs_.unsynced_bytes(); }
  // Writes the rows, then makes all that was recorded durable, with the collector's books, on another thread.
  // What is recorded meanwhile is for the next commit. Requires: the collector's begin_commit was called, and
  // no commit is going on.
  void begin_commit(const Collector& collector, Instant now);
  bool committing() const { return commit_.running(); }
  // Once after each commit, when it is over: nothing, or what went wrong.
  struct Committed {
    std::optional<Failure> failure;
  };
  std::optional<Committed> take_committed();
  void wait_for_commit() { commit_.wait(); }               // take_committed() tells next
  int descriptor() const { return commit_.descriptor(); }  // readable when a commit is over
  // Rows come next that are only in the ledger, or what was read back of them found no space. Not known while
  // a commit goes on.
  bool behind() const;
  // Writes such rows, as many as keep nobody waiting for long. Requires: no commit is going on.
  std::optional<Failure> catch_up(const Kind& kind);
  // The ventilator knows how the run ended: it may be pruned.
  void mark_finished();

 private:
  RunRecorder(std::string folder, RunLock lock, std::unique_ptr<LedgerFile> ledger, RunOutput& output)
      : folder_(std::move(folder)),
        lock_(std::move(lock)),
        ledger_(std::move(ledger)),
        output_(output),
        outputs_(folder_ + "/outputs") {}

  static std::string boot_id();
  std::optional<Failure> take_output_fault();
  std::optional<LedgerError> refill_joblog(const Kind& kind);
  std::optional<LedgerError> fill_table(const Kind& kind, const RowFilter& rows, RowOrder order);
  static Failure failure_of(const LedgerError& error);
  std::optional<Failure> write_rows();
  std::optional<Failure> mark_output(Instant now);

  std::string folder_;
  RunLock lock_;
  std::unique_ptr<LedgerFile> ledger_;
  RunOutput& output_;
  OutputFolder outputs_;
  std::optional<KeptRun> kept_;
  const std::string boot_id_ = boot_id();
  OutputMark mark_;
  Instant marked_at_{};
  std::optional<Failure> output_failure_;  // of the commit that goes on
  std::optional<std::string> sync_error_;  // of output that it covers
  BackgroundTask commit_;                  // last: its thread ends before the rest goes
};

}  // namespace fantail
