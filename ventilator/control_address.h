// RUN_FOLDER/control: where the run's ventilator takes what people ask of it. Of a process that is gone it
// says where it was: the folder's lock tells whether it is there.
#pragma once

#include <optional>
#include <string>

#include "pipeline/endpoint.h"

namespace fantail {

// An error is a sentence.
std::optional<std::string> write_control_address(const std::string& folder, const Endpoint& endpoint);
std::optional<Endpoint> read_control_address(const std::string& folder);

}  // namespace fantail
