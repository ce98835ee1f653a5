// The kind "map": gives each job's input to a function, a process of its own that answers one job after the
// other: a line of JSON in, a line of JSON out. It begins with the slot's first job. Failures of the
// function: "crashed", and then the next job has it started anew; "bad_answer" where it does not keep to one
// line of JSON for each; "result_too_large". "not_found", "not_executable", "arguments_too_long",
// "cannot_start" and "bad_spec" say that it did not begin, "bad_input" that the input is not UTF-8.
#pragma once

#include <memory>

#include "messages.pb.h"
#include "worker/processor.h"

namespace fantail {

// Ends its function with it.
std::unique_ptr<SyncProcessor> make_map_processor(const proto::RunSpec& run);

}  // namespace fantail
