// Finds the runs that people name: by the beginning of a run id, or the newest one.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "pipeline/app/command_line.h"
#include "pipeline/app/run_folders.h"

namespace fantail {

// --state-dir as the commands take it that look at what a role keeps there.
void add_state_dir(CLI::App& app, std::string& chosen, const std::string& role);
// A role's state directory: DIR/ROLE, which is `fantail run --state-dir DIR`'s, or DIR, which is `fantail
// ROLE --state-dir DIR`'s.
std::string role_state_dir(const std::string& chosen, const std::string& role);

// The runs that have a ledger, newest first.
std::vector<RunFolder> recorded_runs(const std::string& state_dir);

// The run whose id begins so, in whatever case; wanted empty: the newest one. Else a sentence.
std::variant<RunFolder, std::string> find_run(const std::vector<RunFolder>& runs, const std::string& wanted,
                                              const std::string& state_dir);

}  // namespace fantail
