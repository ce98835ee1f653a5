// A run as its ledger tells of it, for those who only look: it may be going on, unfinished or over. Nothing
// is locked and nothing is changed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sink/kinds/kind.h"
#include "sink/ledger_file.h"
#include "sink/run_summary.h"

namespace fantail {

struct RecordedRun {
  std::unique_ptr<LedgerFile> ledger;  // opened to be read
  std::unique_ptr<Kind> kind;          // with the aggregate of the last commit
  RunSummary summary;                  // as of the last commit
  bool ended = false;                  // every job is accounted for
  std::optional<int> holder;           // the process that works on it
};

// kMissing: there is no ledger in the folder.
std::variant<RecordedRun, LedgerError> read_recorded_run(const std::string& folder);

// running, unfinished (nobody works on it), or how it ended, in the words of the report.
std::string_view recorded_state(const RecordedRun& run);

// Rows that ended so (empty: anyhow) and that nobody can read back: the ledger did not keep them, or they are
// known by number only.
struct AbsentRows {
  std::uint64_t not_kept = 0;
  std::uint64_t by_number = 0;
};
std::variant<AbsentRows, LedgerError> absent_rows(const LedgerFile& ledger, std::optional<Status> status);

}  // namespace fantail
