// That a run is stopped, how far, and why.
#pragma once

#include <string>

#include "messages.pb.h"

namespace fantail {

struct StopDecision {
  proto::StopLevel level = proto::STOP_NONE;
  proto::RunEnd end = proto::RUN_END_NONE;
  std::string reason;
  bool operator==(const StopDecision&) const = default;
};

}  // namespace fantail
