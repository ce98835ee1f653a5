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
// For a kind that runs on threads; null otherwise. `slowdown` multiplies what echo sleeps.
std::unique_ptr<SyncProcessor> make_sync_processor(const proto::KindSpec& spec, double slowdown);

}  // namespace fantail
