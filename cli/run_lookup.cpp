#include "cli/run_lookup.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "sink/ledger_file.h"

namespace fantail {

void add_state_dir(CLI::App& app, std::string& chosen, const std::string& role) {
  app.add_option("--state-dir", chosen,
                 "Where the runs are, as `fantail run` or " + role + " was told [XDG_STATE_HOME/fantail]")
      ->type_name("DIR")
      ->envname("FANTAIL_STATE_DIR");
}

std::string role_state_dir(const std::string& chosen, const std::string& role) {
  std::error_code ignored;
  if (!chosen.empty() && std::filesystem::is_directory(chosen + "/" + role, ignored))
    return chosen + "/" + role;
  return state_dir_path(chosen, role);
}

std::vector<RunFolder> recorded_runs(const std::string& state_dir) {
  std::vector<RunFolder> runs = list_run_folders(state_dir);
  std::erase_if(runs, [](const RunFolder& run) {
    std::error_code ignored;
    return !std::filesystem::exists(LedgerFile::path_in(run.path), ignored);
  });
  return runs;
}

std::variant<RunFolder, std::string> find_run(const std::vector<RunFolder>& runs, const std::string& wanted,
                                              const std::string& state_dir) {
  if (runs.empty()) return "there are no runs in " + state_dir + ": begin one with `fantail run KIND …`";
  std::string beginning = wanted;
  for (char& letter : beginning)
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  const auto begins_so = [&](const RunFolder& run) { return run.run.starts_with(beginning); };
  const auto found = std::find_if(runs.begin(), runs.end(), begins_so);
  if (found == runs.end()) {
    return "there is no run " + wanted + " in " + state_dir + ": `fantail runs` lists those that are there";
  }
  const auto count = std::count_if(found, runs.end(), begins_so);
  if (!wanted.empty() && count > 1) {
    return std::to_string(count) + " runs begin with " + wanted +
           ": write more of the id; `fantail runs` lists them";
  }
  return *found;
}

}  // namespace fantail
