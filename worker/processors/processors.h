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
Execution execution_of(const proto::KindSpec& spec);

// What this machine is to a processor.
struct ProcessorSetting {
  double slowdown = 1;        // multiplies what echo sleeps
  std::string other_machine;  // this machine's name where it is not the ventilator's
};

// For a kind that runs on threads; null otherwise.
std::unique_ptr<SyncProcessor> make_sync_processor(const proto::KindSpec& spec,
                                                   const ProcessorSetting& setting);

}  // namespace fantail
