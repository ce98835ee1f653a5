// Job ids as messages carry them: in ranges.
#pragma once

#include <google/protobuf/repeated_field.h>

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

}  // namespace fantail
