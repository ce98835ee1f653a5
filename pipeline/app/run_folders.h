// The folders of a role's runs: STATE_DIR/runs/RUN, RUN being the run id as text. What is in them belongs to
// the role; here is only which there are, and which are finished and may go. A file `finished` marks those.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pipeline/app/run_lock.h"

namespace fantail {

inline constexpr std::uint32_t kKeepRunsDefault = 20;  // finished runs that stay

struct RunFolder {
  std::string run;  // run id, 26 characters
  std::string path;
  bool finished = false;
};

std::string run_folder_path(const std::string& state_dir, const std::string& run);
// Newest first. Folders that are not named like a run are passed over.
std::vector<RunFolder> list_run_folders(const std::string& state_dir);
// The folder's lock, or one sentence: who has it.
std::variant<RunLock, std::string> lock_run(const std::string& path);
// An error is a sentence.
std::optional<std::string> mark_run_finished(const std::string& path);
bool is_run_finished(const std::string& path);
// Removes finished runs, oldest first, until so many are left.
void prune_run_folders(const std::string& state_dir, std::uint32_t keep);

}  // namespace fantail
