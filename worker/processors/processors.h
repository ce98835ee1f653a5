// The table of kinds that a worker can process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "worker/executor.h"
#include "worker/processor.h"

namespace fantail {

enum class Execution { kUnknown, kThreads, kEventLoop };

std::vector<std::string> kind_names();
// Those that a worker takes unless it is told which. Who reaches its ventilator over a network runs the
// commands of others only where somebody said so.
std::vector<std::string> usual_kinds(bool over_network);
Execution execution_of(const proto::KindSpec& spec);
bool runs_commands(const proto::KindSpec& spec);  // that the run names

// What this machine is to a processor.
struct ProcessorSetting {
  double slowdown = 1;                            // multiplies what echo sleeps
  std::string other_machine;                      // this machine's name where it is not the ventilator's
  std::vector<std::string> kinds = kind_names();  // that are taken, whatever a ventilator sends
};

// For a kind that is taken and runs on threads; null otherwise.
std::unique_ptr<SyncProcessor> make_sync_processor(const proto::RunSpec& run,
                                                   const ProcessorSetting& setting);

}  // namespace fantail
