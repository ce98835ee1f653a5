// A source over inputs that are already in memory, such as the command line's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ventilator/sources/source.h"

namespace fantail {

std::unique_ptr<Source> make_list_source(std::vector<std::string> inputs);

}  // namespace fantail
