// The kind echo: does nothing, or sleeps. For tests and benchmarks.
#pragma once

#include <memory>

#include "worker/processor.h"

namespace fantail {

std::unique_ptr<SyncProcessor> make_echo_processor(const proto::EchoSpec& spec, double slowdown);

}  // namespace fantail
