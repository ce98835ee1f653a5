// Job ids as messages carry them: in ranges.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <optional>

#include "messages.pb.h"
#include "pipeline/range_set.h"

namespace fantail {

using JobRanges = google::protobuf::RepeatedPtrField<proto::JobRange>;

// Appends one range per span. A list is anything that holds JobSpans in order.
template <typename List>
void put_ranges(const List& spans, JobRanges* ranges) {
  for (const JobSpan& span : spans) {
    proto::JobRange& range = *ranges->Add();
    range.set_first(span.first);
    range.set_count(span.size());
  }
}

// Empty: the range reaches beyond the ids below `limit`. A peer's may be one whose end cannot be computed.
inline std::optional<JobSpan> span_below(JobId limit, const proto::JobRange& range) {
  if (range.first() >= limit || range.count() > limit - range.first()) return std::nullopt;
  return JobSpan{range.first(), range.first() + range.count()};
}

// What lies below `limit`; the rest is left out.
inline RangeSet set_below(JobId limit, const JobRanges& ranges) {
  RangeSet set;
  for (const proto::JobRange& range : ranges) {
    if (const auto span = span_below(limit, range)) set.insert(*span);
  }
  return set;
}

}  // namespace fantail
