// What a worker is told on its command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/app/command_line.h"

namespace fantail {

// The flags that say what the machine gives. `fantail run` has them too.
struct SlotOptions {
  std::uint32_t slots = 0;  // 0: one per core
  std::uint32_t async_slots = 128;
  std::vector<std::string> kinds;  // empty: the usual ones
  double slowdown = 1;
};

struct WorkerOptions {
  CommonOptions common;
  SlotOptions slots;
  std::optional<Endpoint> ventilator = parse_endpoint("tcp://127.0.0.1:5557");
  std::optional<Endpoint> sink;  // instead of the one that the ventilator names
  Duration wait = Duration::max();
  bool stay = false;
  int parent = 0;                 // the process to end with; 0: none
  std::optional<int> slots_from;  // the descriptor of a SlotLink
};

void add_slot_options(CLI::App& app, SlotOptions& options);

// Parses and runs; the process's exit code.
int worker_main(int argc, char** argv);

}  // namespace fantail
