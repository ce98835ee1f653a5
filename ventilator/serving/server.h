// A ventilator that serves: it has no run of its own, takes those that people submit, and starts a ventilator
// for each. Workers learn from it which runs are open.
#pragma once

#include "ventilator/options.h"

namespace fantail {

int run_ventilator_server(const VentilatorOptions& options);

}  // namespace fantail
