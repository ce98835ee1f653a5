// What a peer may say of the output of a run that it submits: how rows look, not which files are written.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <string>

namespace fantail {

// Empty: fine. Else why not, as a sentence.
std::string check_submitted_output(const google::protobuf::RepeatedPtrField<std::string>& flags);

}  // namespace fantail
