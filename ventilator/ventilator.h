// The ventilator's shell: sockets, spool, reader thread and signals around the dispatcher, which decides.
#pragma once

#include "ventilator/kinds/kind_command.h"
#include "ventilator/lanes.h"
#include "ventilator/options.h"

namespace fantail {

// Runs one run to its end; the process's exit code.
int run_ventilator(const VentilatorOptions& options, PortRange ports, RunRequest request,
                   const RunCommand& command);

}  // namespace fantail
