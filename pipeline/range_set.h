// A set of job ids kept as disjoint ranges: a run's ids are dense, so the set stays small however long the
// run is.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace fantail {

using JobId = std::uint64_t;
// No run has so many jobs; a forged id must not overflow a range.
inline constexpr JobId kJobIdsMax = JobId{1} << 48;

// Jobs first .. end - 1.
struct JobSpan {
  JobId first = 0;
  JobId end = 0;
  std::uint64_t size() const { return end - first; }
  bool operator==(const JobSpan&) const = default;
};

class RangeSet {
 public:
  // Adds a range; returns how many ids were not there before.
  std::uint64_t insert(JobSpan span);
  bool insert(JobId id) { return insert(JobSpan{id, id + 1}) == 1; }
  // Takes a range out; returns how many ids were there.
  std::uint64_t erase(JobSpan span);
  bool erase(JobId id) { return erase(JobSpan{id, id + 1}) == 1; }

  bool contains(JobId id) const;
  JobId end_of_run(JobId id) const;  // the first id from this one on that is not there
  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();

  // Takes up to `limit` of the smallest ids out, as one range; an empty range when the set is empty.
  JobSpan take_first(std::uint64_t limit);
  // The parts of span that are in the set, and those that are not, in order.
  std::vector<JobSpan> within(JobSpan span) const;
  std::vector<JobSpan> missing_from(JobSpan span) const;
  std::vector<JobSpan> spans() const;

  bool operator==(const RangeSet&) const = default;

 private:
  std::map<JobId, JobId> ranges_;  // first -> end; disjoint, not touching
  std::uint64_t size_ = 0;
};

}  // namespace fantail
