// What a peer may submit: the flags of a run's policy and nothing else end up on a command line.
#pragma once

#include <string>

#include "serving.pb.h"

namespace fantail {

// Empty: it may run. Else why not, as a sentence.
std::string check_submission(const proto::SubmittedRun& run);

}  // namespace fantail
