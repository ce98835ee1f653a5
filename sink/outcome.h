// One recorded outcome of a job, as reducers and row builders see it. The views are valid during the call
// they are passed to.
#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/status.h"

namespace fantail {

struct Outcome {
  std::uint64_t job = 0;
  std::string_view input;  // as it was submitted
  Status status = Status::kOk;
  std::uint32_t attempt = 1;    // 0: no worker ever started it
  std::string_view worker;      // name; empty: none
  std::string_view worker_id;   // of the worker process; empty: not known any more
  std::uint64_t queued_us = 0;  // in the worker, before a slot was free
  std::uint64_t duration_us = 0;
  std::string_view error_code;  // empty: no error
  std::string_view error_message;
  std::string_view payload;  // the kind's serialized Result message; empty: its fields are null

  Outcome with_input(std::string_view other) const {
    Outcome outcome = *this;
    outcome.input = other;
    return outcome;
  }
};

}  // namespace fantail
