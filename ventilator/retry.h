// The inputs of a run that does over what another one did not bring to a good end. They are copied from the
// old run's spool into the new one's before the run begins, so that it needs neither the old run nor the
// input that the command names: a restarted ventilator finds a spool that is complete.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "kinds.pb.h"
#include "pipeline/range_set.h"
#include "ventilator/run_opening.h"

namespace fantail {

struct RetryPlan {
  std::uint64_t retried = 0;  // 0: there is nothing to retry, and nothing was made
  std::uint64_t submitted = 0;
  bool input_complete = true;  // else what the old run did not submit is not retried either
};

// Makes the run's folder with its spool, all of it or nothing, out of those jobs of the run `of` that are not
// in `ok`; takes that run's lock meanwhile. Errors are sentences.
std::variant<RetryPlan, std::string> prepare_retry(const std::string& state_dir, const std::string& of,
                                                   const RangeSet& ok, const std::string& run,
                                                   const RunCommand& command, const proto::KindSpec& spec);

}  // namespace fantail
