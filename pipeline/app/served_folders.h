// What a role that serves several runs keeps of each beside what the run's own process keeps:
// STATE_DIR/served/RUN.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "pipeline/app/run_lock.h"

namespace fantail {

std::string served_folder_path(const std::string& state_dir, const std::string& run);
std::vector<std::string> list_served_runs(const std::string& state_dir);  // oldest first
// Makes STATE_DIR/served, for one process at a time. An error is a sentence.
std::variant<RunLock, std::string> lock_served_runs(const std::string& state_dir);

}  // namespace fantail
