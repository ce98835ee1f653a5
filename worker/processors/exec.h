// The kind "exec": runs a command for each job, as a process of its own. The input is what takes the place of
// the command's replacement strings. The failures "exit" and "signal" are the process's own; "not_found",
// "not_executable", "arguments_too_long", "bad_input", "bad_spec" and "cannot_start" say that none ran.
#pragma once

#include <memory>

#include "messages.pb.h"
#include "worker/processor.h"

namespace fantail {

// A result comes wherever a process ran, also where that failed or was stopped.
std::unique_ptr<SyncProcessor> make_exec_processor(const proto::RunSpec& run);

}  // namespace fantail
