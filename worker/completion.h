// Jobs that left their slots, in the columns of the message that they go into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "messages.pb.h"
#include "pipeline/instant.h"
#include "pipeline/range_set.h"
#include "worker/job_slice.h"
#include "worker/processor.h"

namespace fantail {

struct Completion {
  JobId id = 0;
  std::string_view input;
  std::uint32_t attempt = 1;
  JobResult result;
  Duration queued{0};
  Duration duration{0};
};

// While a message grows, every column has an entry per job. A result that is too large for a message becomes
// a failure that says so.
void append_to(proto::Results& results, Completion completion);
// The same in two steps: first what became of each job of a slice, then all that the slice says of them.
void append_result(proto::Results& results, std::size_t input_size, JobResult result, Duration queued,
                   Duration duration);
void append_jobs(proto::Results& results, const JobSlice& jobs);
void append_to(proto::Results& results, const proto::Results& more);
// Of inputs and payloads.
std::size_t bytes_of(const proto::Results& results);
// Those of the outcomes whose jobs are in the set.
proto::Results within(const proto::Results& results, const RangeSet& jobs);
// Leaves the columns out that say nothing: consecutive ids, no payloads, all ok, all first attempts.
void compact(proto::Results& results);

}  // namespace fantail
