// Which run a ventilator works on: the one of the same command that is not finished, or a new one. Each run
// has a folder in STATE_DIR/runs with its lock, its spool and the file `command`, which names the command it
// belongs to.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kinds.pb.h"
#include "pipeline/app/run_lock.h"
#include "ventilator/spool.h"

namespace fantail {

// What makes two commands the same: kind, its flags and inputs, the working directory and the policy; not
// where rows and report go, and not the addresses.
struct RunCommand {
  std::string text;      // as people would type it
  std::string identity;  // 16 bytes
  bool retries = false;  // its inputs are made by prepare_retry, and are in the spool from the beginning
};
RunCommand make_run_command(const std::vector<std::string>& kind_arguments,
                            const std::vector<std::string>& policy_arguments,
                            const std::string& working_directory);

// The same command with --retry-failed: neither takes the other's runs up.
RunCommand retry_command(const RunCommand& command);

struct OpenedRun {
  RunLock lock;
  Spool spool;
  std::string folder;
  bool resumed = false;
};

// An unfinished run of the command, newest first; empty: there is none.
std::optional<std::string> find_unfinished_run(const std::string& state_dir, const RunCommand& command);

// Says whose run the folder is.
std::optional<std::string> write_command(const std::string& folder, const RunCommand& command);
bool belongs_to(const std::string& folder, const RunCommand& command);

// `run` chooses a run, which may be a new one; empty: by the command. Errors are sentences.
std::variant<OpenedRun, std::string> open_run(const std::string& state_dir, const RunCommand& command,
                                              const std::string& run, const proto::KindSpec& spec);

}  // namespace fantail
