// Everything that a run writes for people: rows as they come, the table, the summary, the report. Decides
// what goes to which stream (docs/REPORT.md). After a restart the file of rows is cut to what the ledger
// knows to be in it, and the later rows are recorded again.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "sink/kinds/kind.h"
#include "sink/ledger_chain.h"
#include "sink/options.h"
#include "sink/output_folder.h"
#include "sink/process_output.h"
#include "sink/terminal.h"
#include "sink/writers/ordered_rows.h"
#include "sink/writers/output_file.h"
#include "sink/writers/table.h"

namespace fantail {

class RunOutput {
 public:
  explicit RunOutput(const OutputOptions& options, std::size_t held_bytes_max = OrderedRows::kBytesMax);
  RunOutput(const RunOutput&) = delete;
  RunOutput& operator=(const RunOutput&) = delete;

  // Opens the file of rows, before any work is done, unless its name depends on the run. Errors are
  // sentences.
  std::optional<std::string> open();
  // The run that is to begin, where the names of files depend on it: begin() opens them.
  void name_run(const std::string& run);
  // The rows that the mark names are in the file already. What processes wrote beyond their results is in the
  // folder, which is asked from then on.
  std::optional<std::string> begin(const Kind& kind, const OutputMark& mark, const OutputFolder& outputs);
  // Begins the log of processes anew, or goes on with it.
  void begin_joblog(bool anew);
  void record_in_joblog(const Kind& kind, const Outcome& outcome);

  void record(const Kind& kind, const Outcome& outcome);
  // For a run that goes on: the row is in the file, or comes later, and is needed for the table alone.
  void record_in_table(const Kind& kind, const Outcome& outcome);
  // With --keep-order: the jobs whose rows come next and had to leave memory, or never were there, of those
  // that are done. Empty: there is none, or nothing can be written now.
  JobSpan missing_rows(const RangeSet& done) const;
  // Gives them again, in order.
  void write_missing(const Kind& kind, const Outcome& outcome);
  // All rows of the jobs below were given.
  void end_missing(JobId job);
  // Writes what was recorded. The first error, here or before.
  std::optional<std::string> write_rows();
  bool lacks_space() const { return rows_ && rows_->lacks_space(); }  // write_rows may be called again
  // Rows are in a file that can be cut back after a crash.
  bool can_be_cut() const { return rows_ && rows_->can_be_cut(); }
  // Waits until what was written is on storage. The mark's sequence is the caller's business.
  std::optional<std::string> sync(OutputMark& mark);
  // The file of rows; empty: they go nowhere, or where they cannot be taken back.
  const std::string& path() const { return path_; }
  bool wants_rows() const { return gives_rows() || shows_table_; }
  // The output of processes goes to standard output and error, and takes the place of rows.
  bool passes_output() const { return processes_.has_value(); }
  bool writes_joblog() const { return joblog_.has_value(); }
  bool shows_table() const { return shows_table_; }
  bool keeps_order() const { return ordered_.has_value(); }
  // The end: rest of the rows, the report, then table and summary.
  std::optional<std::string> finish(const RunSummary& summary, const Kind& kind, const Digest& digest);

  bool writes_to_terminal() const {
    if (processes_) return stdout_.is_terminal || stderr_is_terminal_;
    return rows_to_stdout_ && stdout_.is_terminal;
  }
  // As a filter in a pipe: nothing is said of a run that goes well.
  bool is_silent() const { return processes_ && options_.progress == "auto" && !stderr_is_terminal_; }
  // Called before the output of processes is written.
  void before_output(std::function<void()> call) { before_output_ = std::move(call); }

 private:
  std::optional<std::string> open_files();
  void write(std::string_view bytes);
  void format(const Kind& kind, const Outcome& outcome);
  // With the input that the job's process had. Valid until the next call.
  Outcome of_process(const Kind& kind, const Outcome& outcome);
  bool gives_rows() const { return rows_ || processes_; }
  bool tells(const RunSummary& summary) const;
  void keep(const std::optional<std::string>& error) {
    if (error && !error_) error_ = error;
  }

  OutputOptions given_;
  OutputOptions options_;  // with the run's name in those of files
  Terminal stdout_;
  std::string path_;
  bool csv_ = false;
  bool stderr_is_terminal_ = false;
  bool shows_table_ = false;
  bool rows_to_stdout_ = false;
  std::optional<OutputFile> rows_;
  std::optional<ProcessOutput> processes_;  // instead of rows_
  std::optional<OutputFile> joblog_;
  std::function<void()> before_output_;
  std::optional<OrderedRows> ordered_;
  Table table_;
  const OrderedRows::Write write_ = [this](std::string_view bytes) { write(bytes); };
  std::string line_;   // reused
  std::string input_;  // reused
  std::optional<std::string> error_;
};

}  // namespace fantail
