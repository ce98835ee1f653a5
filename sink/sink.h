// The sink's shell: sockets, files, progress and signals around the collector, which decides.
#pragma once

#include "sink/options.h"

namespace fantail {

int run_sink(const SinkOptions& options);

}  // namespace fantail
