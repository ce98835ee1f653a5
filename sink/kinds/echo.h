// The kind that returns its payload, for tests and benchmarks.
#pragma once

#include <memory>

#include "sink/kinds/kind.h"

namespace fantail {

std::unique_ptr<Kind> make_echo_kind();

}  // namespace fantail
