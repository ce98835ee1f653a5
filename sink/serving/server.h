// A sink that serves: it starts a sink for each run of a ventilator that serves, and gives what these write
// to whoever submitted the runs.
#pragma once

#include "sink/options.h"

namespace fantail {

int run_sink_server(const SinkOptions& options);

}  // namespace fantail
