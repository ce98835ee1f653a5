#include "pipeline/app/run_folders.h"

#include <algorithm>
#include <filesystem>

#include "pipeline/app/durable.h"
#include "pipeline/ulid.h"

namespace fantail {

namespace {

constexpr const char* kFinished = "/finished";

}  // namespace

std::string run_folder_path(const std::string& state_dir, const std::string& run) {
  return state_dir + "/runs/" + run;
}

std::vector<RunFolder> list_run_folders(const std::string& state_dir) {
  std::vector<RunFolder> folders;
  std::error_code failure;
  for (auto entry = std::filesystem::directory_iterator(state_dir + "/runs", failure);
       !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    const std::string run = entry->path().filename().string();
    if (!parse_ulid(run)) continue;
    folders.push_back({run, entry->path().string(), is_run_finished(entry->path().string())});
  }
  // A ULID begins with its time.
  std::sort(folders.begin(), folders.end(),
            [](const RunFolder& one, const RunFolder& other) { return one.run > other.run; });
  return folders;
}

std::variant<RunLock, std::string> lock_run(const std::string& path) {
  auto lock = RunLock::take(path);
  if (auto* taken = std::get_if<RunLock>(&lock)) return std::move(*taken);
  if (auto* error = std::get_if<std::string>(&lock)) return *error;
  const int pid = std::get<RunLock::Holder>(lock).pid;
  return "run " + std::filesystem::path(path).filename().string() + " is in the hands of " +
         (pid > 0 ? "process " + std::to_string(pid) : std::string("another process")) +
         ": wait for it or stop it";
}

std::optional<std::string> mark_run_finished(const std::string& path) {
  return replace_file_durably(path + kFinished, "");
}

bool is_run_finished(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path + kFinished, ignored);
}

void prune_run_folders(const std::string& state_dir, std::uint32_t keep) {
  std::uint32_t finished = 0;
  for (const RunFolder& folder : list_run_folders(state_dir)) {
    if (!folder.finished || ++finished <= keep) continue;
    // What cannot be removed is left for the next time.
    std::error_code failure;
    std::filesystem::remove_all(folder.path, failure);
  }
}

}  // namespace fantail
