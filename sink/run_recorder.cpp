#include "sink/run_recorder.h"

#include <fstream>

#include "pipeline/app/durable.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/ulid.h"

namespace fantail {

namespace {

// How often a file of rows is synced where the ledger could fill it again.
constexpr Duration kMarkApart = std::chrono::seconds(1);
// Of the rows that are read back in one go: some milliseconds of work.
constexpr std::uint64_t kCatchUpBytes = 1 << 20;
constexpr std::uint64_t kRowBytes = 128;  // beside its input and payload

JobProcess process_of(const Outcome& outcome) {
  return {outcome.job, outcome.attempt, ulid_text(outcome.worker_id)};
}

// A ULID begins with 48 bits of milliseconds.
std::uint64_t unix_seconds(std::string_view run_id) {
  std::uint64_t milliseconds = 0;
  for (const char byte : run_id.substr(0, 6))
    milliseconds = (milliseconds << 8) | static_cast<std::uint8_t>(byte);
  return milliseconds / 1000;
}

}  // namespace

// Names the life of the kernel's clock: after a boot it counts from zero again.
std::string RunRecorder::boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

bool RunRecorder::exists(const std::string& state_dir, const std::string& run_id) {
  return LedgerFile::exists(run_folder_path(state_dir, ulid_text(run_id)));
}

std::variant<std::unique_ptr<RunRecorder>, std::string> RunRecorder::create(const std::string& state_dir,
                                                                            const proto::RunOpen& open,
                                                                            RunOutput& output, Keep keep) {
  LedgerRun run;
  run.run_id = ulid_text(open.spec().run_id());
  output.name_run(run.run_id);
  const auto kind = make_kind(open.spec().kind());
  if (kind == nullptr) return "the sink does not know this kind: install the same release on both";
  run.kind = kind->name();
  run.spec = open.spec().kind().SerializeAsString();
  run.command = open.command();
  run.keep = keep;
  run.created_at = unix_seconds(open.spec().run_id());
  std::string folder = run_folder_path(state_dir, run.run_id);
  if (auto error = make_folder_durably(folder)) return *error;
  auto lock = lock_run(folder);
  if (auto* error = std::get_if<std::string>(&lock)) return *error;
  auto ledger = LedgerFile::create(folder, run);
  if (auto* error = std::get_if<LedgerError>(&ledger)) return error->message;
  return std::unique_ptr<RunRecorder>(
      new RunRecorder(std::move(folder), std::move(std::get<RunLock>(lock)),
                      std::move(std::get<std::unique_ptr<LedgerFile>>(ledger)), output));
}

std::variant<std::unique_ptr<RunRecorder>, std::string> RunRecorder::take_up(const std::string& folder,
                                                                             RunLock lock,
                                                                             RunOutput& output) {
  auto ledger = LedgerFile::open(folder);
  if (auto* error = std::get_if<LedgerError>(&ledger)) return error->message;
  output.name_run(std::get<std::unique_ptr<LedgerFile>>(ledger)->run().run_id);
  std::unique_ptr<RunRecorder> recorder(new RunRecorder(
      folder, std::move(lock), std::move(std::get<std::unique_ptr<LedgerFile>>(ledger)), output));
  const LedgerFile& file = *recorder->ledger_;
  if (file.sequence() == 0) return recorder;
  KeptRun kept;
  const std::optional<std::string> run_id = parse_ulid(file.run().run_id);
  if (!run_id || !kept.spec.mutable_kind()->ParseFromString(file.run().spec) ||
      !kept.books.ParseFromString(file.books().state)) {
    return file.path() + " was written by another release: finish the run with that one";
  }
  kept.spec.set_run_id(*run_id);
  kept.aggregate = file.books().aggregate;
  kept.done = file.done();
  recorder->kept_ = std::move(kept);
  // Rows in another order than the file's are written anew.
  if (recorder->same_output() && recorder->kept_->books.in_order() == output.keeps_order())
    recorder->mark_ = file.books().output;
  return recorder;
}

std::string RunRecorder::refuse_output() const {
  if (ledger_->run().keep == Keep::kAll) return {};
  if (output_.keeps_order()) {
    return "run " + run_text() +
           " was begun without --keep-order, and its ledger does not keep the rows that would have to wait: "
           "start the sink without it";
  }
  if (same_output() || ledger_->books().output.length == 0) return {};
  return "run " + run_text() + " has written rows to " + kept_->books.output() +
         " that its ledger does not keep: start the sink with --output " + kept_->books.output();
}

Duration RunRecorder::clock_shift(Instant now) const {
  if (kept_->books.boot_id() == boot_id_) return Duration{0};
  return now - Instant(Duration(kept_->books.written_at()));
}

std::optional<RunRecorder::Failure> RunRecorder::begin(const Kind& kind) {
  if (const auto error = output_.begin(kind, {}, outputs_)) return Failure{Problem::kOutput, *error};
  output_.begin_joblog(true);
  return std::nullopt;
}

std::optional<RunRecorder::Failure> RunRecorder::refill(const Kind& kind) {
  if (const auto error = output_.begin(kind, mark_, outputs_)) return Failure{Problem::kOutput, *error};
  if (const auto error = outputs_.open(ledger_->done())) return Failure{Problem::kFatal, *error};
  std::optional<LedgerError> error = refill_joblog(kind);
  if (error) return failure_of(*error);
  if (output_.keeps_order()) {
    if (output_.shows_table()) error = fill_table(kind, {}, RowOrder::kJobs);
  } else if (output_.wants_rows()) {
    RowFilter old;
    RowFilter fresh;
    // Whoever reads a pipe has seen the rows of earlier commits.
    old.up_to_commit = fresh.after_commit = output_.can_be_cut() ? mark_.sequence : ledger_->sequence();
    if (output_.shows_table()) error = fill_table(kind, old, RowOrder::kCommits);
    if (!error) {
      error = ledger_->for_each(fresh, RowOrder::kCommits, [&](const Outcome& outcome) {
        output_.record(kind, outcome);
        return true;
      });
    }
  }
  return error ? std::optional(Failure{Problem::kFatal, error->message}) : std::nullopt;
}

std::optional<LedgerError> RunRecorder::refill_joblog(const Kind& kind) {
  if (!output_.writes_joblog()) return std::nullopt;
  const bool anew = ledger_->run().keep == Keep::kAll;
  output_.begin_joblog(anew);
  if (!anew) return std::nullopt;
  return ledger_->for_each({}, RowOrder::kCommits, [&](const Outcome& outcome) {
    output_.record_in_joblog(kind, outcome);
    return true;
  });
}

std::optional<LedgerError> RunRecorder::fill_table(const Kind& kind, const RowFilter& rows, RowOrder order) {
  return ledger_->for_each(rows, order, [&](const Outcome& outcome) {
    output_.record_in_table(kind, outcome);
    return true;
  });
}

void RunRecorder::record(const Kind& kind, const Outcome& outcome) {
  if (output_.passes_output() && !outcome.worker_id.empty()) {
    outputs_.settle(process_of(outcome));
  }
  ledger_->stage(outcome);
  output_.record(kind, outcome);
}

bool RunRecorder::record_output(const std::string& worker_id, const proto::JobOutput& output) {
  return !output_.passes_output() || outputs_.write(worker_id, output);
}

std::optional<RunRecorder::Failure> RunRecorder::take_output_fault() {
  const auto fault = outputs_.take_fault();
  if (!fault) return std::nullopt;
  return Failure{fault->lacks_space ? Problem::kWait : Problem::kFatal, fault->message};
}

void RunRecorder::record_without_rows(JobSpan jobs, Status status) {
  ledger_->stage_without_rows(jobs, status);
}

std::optional<RunRecorder::Failure> RunRecorder::write_rows() {
  const auto error = output_.write_rows();
  if (!error) return std::nullopt;
  return Failure{output_.lacks_space() ? Problem::kWait : Problem::kOutput, *error};
}

bool RunRecorder::behind() const {
  return !committing() && output_.keeps_order() &&
         (output_.lacks_space() || output_.missing_rows(ledger_->done()).size() > 0);
}

// Only what is durable is read back, so a row that left memory early waits for its commit.
std::optional<RunRecorder::Failure> RunRecorder::catch_up(const Kind& kind) {
  for (std::uint64_t bytes = 0; bytes < kCatchUpBytes;) {
    const JobSpan missing = output_.missing_rows(ledger_->done());
    if (missing.size() == 0) break;
    const auto error = ledger_->read_rows(missing, [&](const Outcome& outcome) {
      output_.write_missing(kind, outcome);
      bytes += outcome.input.size() + outcome.payload.size() + kRowBytes;
      return bytes < kCatchUpBytes;
    });
    if (error) return failure_of(*error);
    if (bytes < kCatchUpBytes) output_.end_missing(missing.end);
  }
  return write_rows();
}

RunRecorder::Failure RunRecorder::failure_of(const LedgerError& error) {
  const bool later = error.fault == LedgerFault::kNoSpace || error.fault == LedgerFault::kBusy;
  return {later ? Problem::kWait : Problem::kFatal, error.message};
}

// Where the ledger does not keep every row, the file must have them before the commit; else now and then is
// enough.
std::optional<RunRecorder::Failure> RunRecorder::mark_output(Instant now) {
  if (!output_.can_be_cut()) return std::nullopt;
  if (ledger_->run().keep == Keep::kAll && now < marked_at_ + kMarkApart) return std::nullopt;
  OutputMark mark;
  if (const auto error = output_.sync(mark)) return Failure{Problem::kOutput, *error};
  mark.sequence = ledger_->sequence() + 1;
  mark_ = mark;
  marked_at_ = now;
  return std::nullopt;
}

void RunRecorder::begin_commit(const Collector& collector, Instant now) {
  output_failure_ = take_output_fault();
  if (!output_failure_) output_failure_ = write_rows();
  // It fails as any other does: nothing goes to the ledger.
  if (output_failure_ && output_failure_->problem != Problem::kOutput) return commit_.start([] {});
  if (!output_failure_) output_failure_ = mark_output(now);
  proto::Books books = collector.books(now);
  books.set_boot_id(boot_id_);
  books.set_output(output_.path());
  books.set_in_order(output_.keeps_order());
  LedgerBooks kept;
  kept.counts = collector.counts();
  kept.digest = collector.digest();
  kept.state = books.SerializeAsString();
  kept.aggregate = collector.kind()->save();
  kept.output = mark_;
  ledger_->begin_commit(std::move(kept));
  commit_.start([this, unsynced = outputs_.take_unsynced()] {
    sync_error_ = unsynced->sync();
    if (!sync_error_) ledger_->write_commit();
  });
}

std::optional<RunRecorder::Committed> RunRecorder::take_committed() {
  if (!commit_.take_finished()) return std::nullopt;
  if (output_failure_ && output_failure_->problem != Problem::kOutput) return Committed{output_failure_};
  if (sync_error_) return Committed{Failure{Problem::kFatal, *sync_error_}};
  const auto error = ledger_->end_commit();
  return Committed{error ? failure_of(*error) : output_failure_};
}

void RunRecorder::mark_finished() {
  outputs_.remove();
  // Without the mark the next start looks into the ledger, and sees the same there.
  mark_run_finished(folder_);
}

}  // namespace fantail
