// Finds the runs that people name: by the beginning of a run id, or the newest one.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "pipeline/app/command_line.h"
#include "pipeline/app/run_folders.h"

namespace fantail {

// --state-dir as the commands that read runs back take it.
void add_sink_state_dir(CLI::App& app, std::string& chosen);
// The sink's state directory: DIR/sink, which is `fantail run --state-dir DIR`'s, or DIR, which is `fantail
// sink --state-dir DIR`'s.
std::string sink_state_dir(const std::string& chosen);

// The runs that have a ledger, newest first.
std::vector<RunFolder> recorded_runs(const std::string& state_dir);

// The run whose id begins so, in whatever case; wanted empty: the newest one. Else a sentence.
std::variant<RunFolder, std::string> find_run(const std::vector<RunFolder>& runs, const std::string& wanted,
                                              const std::string& state_dir);

}  // namespace fantail
