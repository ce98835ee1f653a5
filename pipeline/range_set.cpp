#include "pipeline/range_set.h"

#include <algorithm>
#include <iterator>

namespace fantail {

std::uint64_t RangeSet::insert(JobSpan span) {
  if (span.first >= span.end) return 0;
  std::uint64_t overlap = 0;
  JobSpan merged = span;
  auto range = ranges_.upper_bound(span.first);
  // A range that starts before span may overlap it or touch it.
  if (range != ranges_.begin() && std::prev(range)->second >= span.first) --range;
  while (range != ranges_.end() && range->first <= span.end) {
    const JobId overlap_end = std::min(range->second, span.end);
    const JobId overlap_first = std::max(range->first, span.first);
    if (overlap_end > overlap_first) overlap += overlap_end - overlap_first;
    merged.first = std::min(merged.first, range->first);
    merged.end = std::max(merged.end, range->second);
    range = ranges_.erase(range);
  }
  ranges_.emplace_hint(range, merged.first, merged.end);
  const std::uint64_t added = span.size() - overlap;
  size_ += added;
  return added;
}

std::uint64_t RangeSet::erase(JobSpan span) {
  if (span.first >= span.end) return 0;
  std::uint64_t erased = 0;
  auto range = ranges_.upper_bound(span.first);
  if (range != ranges_.begin() && std::prev(range)->second > span.first) --range;
  while (range != ranges_.end() && range->first < span.end) {
    const JobSpan old{range->first, range->second};
    range = ranges_.erase(range);
    erased += std::min(old.end, span.end) - std::max(old.first, span.first);
    if (old.first < span.first) ranges_.emplace(old.first, span.first);
    if (old.end > span.end) range = ranges_.emplace(span.end, old.end).first;
  }
  size_ -= erased;
  return erased;
}

bool RangeSet::contains(JobId id) const {
  return end_of_run(id) > id;
}

JobId RangeSet::end_of_run(JobId id) const {
  const auto range = ranges_.upper_bound(id);
  return range == ranges_.begin() ? id : std::max(id, std::prev(range)->second);
}

void RangeSet::clear() {
  ranges_.clear();
  size_ = 0;
}

JobSpan RangeSet::take_first(std::uint64_t limit) {
  if (ranges_.empty() || limit == 0) return {};
  const auto range = ranges_.begin();
  const JobSpan taken{range->first, range->first + std::min(limit, range->second - range->first)};
  erase(taken);
  return taken;
}

std::vector<JobSpan> RangeSet::within(JobSpan span) const {
  std::vector<JobSpan> parts;
  if (span.first >= span.end) return parts;
  auto range = ranges_.upper_bound(span.first);
  if (range != ranges_.begin() && std::prev(range)->second > span.first) --range;
  for (; range != ranges_.end() && range->first < span.end; ++range) {
    parts.push_back({std::max(range->first, span.first), std::min(range->second, span.end)});
  }
  return parts;
}

std::vector<JobSpan> RangeSet::missing_from(JobSpan span) const {
  std::vector<JobSpan> missing;
  JobId next = span.first;
  for (const JobSpan& part : within(span)) {
    if (part.first > next) missing.push_back({next, part.first});
    next = part.end;
  }
  if (next < span.end) missing.push_back({next, span.end});
  return missing;
}

std::vector<JobSpan> RangeSet::spans() const {
  std::vector<JobSpan> spans;
  spans.reserve(ranges_.size());
  for (const auto& [first, end] : ranges_)
    spans.push_back({first, end});
  return spans;
}

}  // namespace fantail
