// A source whose inputs somebody submits over the network: a serving ventilator appends them to a file as
// they come, and this reads along. See ventilator/serving/submission_folder.h.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "ventilator/sources/source.h"

namespace fantail {

// An input as it is in the stream.
void append_submitted(const std::string& input, std::string& stream);

std::variant<std::unique_ptr<Source>, SourceError> make_submitted_source(const std::string& folder);

}  // namespace fantail
