// Everything that a run writes: rows as they come, the table, the summary, the report. It is the ledger's
// visible side and decides what goes to which stream (docs/REPORT.md).
#pragma once

#include <optional>
#include <string>

#include "sink/collector.h"
#include "sink/options.h"
#include "sink/terminal.h"
#include "sink/writers/ordered_rows.h"
#include "sink/writers/output_file.h"
#include "sink/writers/table.h"

namespace fantail {

class RunOutput : public Ledger {
 public:
  RunOutput(const OutputOptions& options, std::string spill_folder);

  // Opens the file of rows, before any work is done. Errors are sentences.
  std::optional<std::string> open();
  void begin(const Kind& kind);

  void record(const Kind& kind, const Outcome& outcome) override;
  void record_without_rows(JobSpan jobs, Status status) override;
  // Writes what was recorded. The first error, here or before.
  std::optional<std::string> commit();
  // The end: rest of the rows, the report, then table and summary.
  std::optional<std::string> finish(const RunSummary& summary, const Kind& kind, const Digest& digest);

  bool writes_to_terminal() const { return rows_to_stdout_ && stdout_.is_terminal; }

 private:
  void write(std::string_view bytes);
  void keep(const std::optional<std::string>& error) {
    if (error && !error_) error_ = error;
  }

  OutputOptions options_;
  Terminal stdout_;
  bool csv_ = false;
  bool shows_table_ = false;
  bool rows_to_stdout_ = false;
  std::optional<OutputFile> rows_;
  std::optional<OrderedRows> ordered_;
  Table table_;
  std::string line_;  // reused
  std::string due_;
  std::optional<std::string> error_;
};

}  // namespace fantail
