#include "pipeline/app/served_folders.h"

#include <algorithm>
#include <filesystem>

#include "pipeline/app/durable.h"
#include "pipeline/ulid.h"

namespace fantail {

std::string served_folder_path(const std::string& state_dir, const std::string& run) {
  return state_dir + "/served/" + run;
}

std::vector<std::string> list_served_runs(const std::string& state_dir) {
  std::vector<std::string> runs;
  std::error_code failure;
  for (auto entry = std::filesystem::directory_iterator(state_dir + "/served", failure);
       !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    const std::string run = entry->path().filename().string();
    if (parse_ulid(run)) runs.push_back(run);
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

std::variant<RunLock, std::string> lock_served_runs(const std::string& state_dir) {
  const std::string folder = state_dir + "/served";
  if (auto error = make_folder_durably(folder)) return *error;
  auto lock = RunLock::take(folder);
  if (auto* taken = std::get_if<RunLock>(&lock)) return std::move(*taken);
  if (auto* error = std::get_if<std::string>(&lock)) return *error;
  return "another process serves from " + state_dir + ": stop it or choose another --state-dir";
}

}  // namespace fantail
