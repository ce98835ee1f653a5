// What the sink is told of jobs that end without a worker's result.
#pragma once

#include <map>
#include <string>

#include "messages.pb.h"
#include "ventilator/dispatcher.h"

namespace fantail {

// All but the inputs. deaths: of all jobs.
proto::Results make_proposal(const std::string& run_id, JobSpan jobs, Verdict verdict,
                             const std::map<JobId, Deaths>& deaths);

// The job ends as this attempt did.
proto::Results make_proposal(const std::string& run_id, const proto::FailedAttempt& attempt);

}  // namespace fantail
