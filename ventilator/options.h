// What the ventilator is told on its command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/app/command_line.h"
#include "ventilator/kinds/kind_command.h"

namespace fantail {

// The flags that say what to run. `fantail run` has them too.
struct RunOptions {
  Duration deadline{0};
  Duration wait = Duration::max();
  Duration heartbeat = std::chrono::seconds(1);
};

struct VentilatorOptions {
  CommonOptions common;
  RunOptions run;
  std::vector<Endpoint> binds{*parse_endpoint("tcp://127.0.0.1:5557")};
  std::optional<Endpoint> sink = parse_endpoint("tcp://127.0.0.1:5558");
  std::string worker_ports = "5600-6599";
  int parent = 0;  // the process to end with; 0: none
};

void add_run_options(CLI::App& app, RunOptions& options);

// Parses and runs; the process's exit code.
int ventilator_main(int argc, char** argv);

}  // namespace fantail
