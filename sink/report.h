// The report: one JSON object that says how a run ended and what it found. Its fields are a contract:
// docs/REPORT.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "sink/digest.h"
#include "sink/kinds/kind.h"
#include "sink/run_summary.h"

namespace fantail {

std::string_view run_state_name(RunState state);  // completed, halted, timed_out, cancelled, failed

nlohmann::ordered_json make_report(const RunSummary& run, const Kind& kind, const Digest& digest);

}  // namespace fantail
