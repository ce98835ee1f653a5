// What the ventilator is told on its command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/app/command_line.h"
#include "pipeline/app/run_folders.h"
#include "ventilator/kinds/kind_command.h"
#include "ventilator/run_opening.h"
#include "ventilator/run_options.h"

namespace fantail {

struct VentilatorOptions {
  CommonOptions common;
  RunOptions run;
  std::vector<Endpoint> binds{*parse_endpoint("tcp://127.0.0.1:5557")};
  std::optional<Endpoint> sink = parse_endpoint("tcp://127.0.0.1:5558");
  std::string worker_ports = "5600-6599";
  std::string run_id;  // as text; empty: the unfinished one of the same command, or a new one
  std::uint32_t keep_runs = kKeepRunsDefault;
  int parent = 0;  // the process to end with; 0: none
  // Of one that serves.
  bool serve = false;
  std::string run_ports = "5560-5599";
  std::uint32_t max_runs = 16;  // open at a time
};

inline constexpr const char* kRetryFailed = "--retry-failed";

// The command of the app's chosen kind, as parsed; with --retry-failed, which the app has, that of its
// retries.
RunCommand plain_command_of(const CLI::App& app, const CLI::App& kind);  // without it
RunCommand run_command_of(const CLI::App& app, const CLI::App& kind);

// Parses and runs; the process's exit code.
int ventilator_main(int argc, char** argv);

}  // namespace fantail
