// Job ranges as messages carry them, written and read the way tests like to.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <ostream>
#include <vector>

#include "messages.pb.h"
#include "pipeline/range_set.h"

namespace fantail {

// GoogleTest prints spans by it.
inline void PrintTo(const JobSpan& span, std::ostream* out) {
  *out << span.first << ".." << span.end;
}

inline void put_ranges(const std::vector<JobSpan>& spans,
                       google::protobuf::RepeatedPtrField<proto::JobRange>* ranges) {
  for (const JobSpan& span : spans) {
    proto::JobRange& range = *ranges->Add();
    range.set_first(span.first);
    range.set_count(span.size());
  }
}

inline std::vector<JobSpan> get_ranges(const google::protobuf::RepeatedPtrField<proto::JobRange>& ranges) {
  std::vector<JobSpan> spans;
  for (const proto::JobRange& range : ranges)
    spans.push_back({range.first(), range.first() + range.count()});
  return spans;
}

using Spans = std::vector<JobSpan>;

}  // namespace fantail
