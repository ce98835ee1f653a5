// Job ranges, written and read the way tests like to.
#pragma once

#include <initializer_list>
#include <ostream>
#include <vector>

#include "pipeline/job_ranges.h"

namespace fantail {

using Spans = std::vector<JobSpan>;

inline void put_ranges(std::initializer_list<JobSpan> spans, JobRanges* ranges) {
  put_ranges(Spans(spans), ranges);
}

// GoogleTest prints spans by it.
inline void PrintTo(const JobSpan& span, std::ostream* out) {
  *out << span.first << ".." << span.end;
}

inline std::vector<JobSpan> get_ranges(const JobRanges& ranges) {
  std::vector<JobSpan> spans;
  for (const proto::JobRange& range : ranges)
    spans.push_back({range.first(), range.first() + range.count()});
  return spans;
}

}  // namespace fantail
