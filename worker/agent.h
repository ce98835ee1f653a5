// A worker whose ventilator serves several runs: it starts a child worker for each open run, which works for
// that run alone, and shares this machine's slots among them (slot_shares.h).
#pragma once

#include <optional>

#include "pipeline/app/logging.h"
#include "pipeline/app/signals.h"
#include "worker/options.h"

namespace fantail {

// The process's exit code; empty: there is a ventilator with a run of its own now.
std::optional<int> run_agent(const WorkerOptions& options, Signals& signals, const Logger& logger);

}  // namespace fantail
