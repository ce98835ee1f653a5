// What survives a death: the ventilator's spool and the sink's ledger, as far as they were synced.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "books.pb.h"
#include "messages.pb.h"
#include "pipeline/range_set.h"
#include "pipeline/status.h"
#include "sink/collector.h"
#include "ventilator/deaths.h"
#include "ventilator/stop_decision.h"

namespace fantail::sim {

struct SimSpool {
  std::uint64_t spooled = 0;
  bool input_ended = false;  // and so the spool says
  bool input_complete = true;
  JobId frontier = 0;
  std::map<JobId, Deaths> deaths;
  StopDecision stop;
  bool ended = false;
  std::uint64_t epoch = 0;
};

struct SimRow {
  Status status = Status::kOk;
  std::uint32_t attempt = 0;
  std::string input;
  std::string error_code;
};

// One transaction of the ledger: rows are added, the rest is replaced.
struct SimLedger {
  bool has_run = false;
  proto::RunSpec spec;
  proto::Books books;
  std::string aggregate;
  RangeSet done;  // with and without rows
  std::map<JobId, SimRow> rows;
  std::map<JobId, Status> without_rows;
  std::uint64_t epoch = 0;
};

}  // namespace fantail::sim
