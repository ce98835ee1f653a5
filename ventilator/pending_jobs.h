// Jobs that wait for a worker: those with a higher priority go first, and of these the first submitted. As
// long as nobody names a priority it is one RangeSet. Knows no workers and no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "pipeline/range_set.h"
#include "pipeline/state_hash.h"

namespace fantail {

class PendingJobs {
 public:
  // Of a job that is not there. Kept until it is forgotten; 0 need not be told.
  void set_priority(JobId job, std::int32_t priority);
  std::int32_t priority_of(JobId job) const;
  void forget_priorities(JobSpan jobs);

  void insert(JobSpan jobs);
  void insert(JobId job) { insert(JobSpan{job, job + 1}); }
  std::uint64_t erase(JobSpan jobs);
  bool erase(JobId job) { return erase(JobSpan{job, job + 1}) == 1; }
  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();
  // Takes up to `limit` of those that go first out, as one range; an empty range when there are none.
  JobSpan take_first(std::uint64_t limit);
  std::vector<JobSpan> within(JobSpan jobs) const;  // those of the jobs that are there
  std::vector<JobSpan> spans() const;
  void hash(StateHash& hash) const;

 private:
  std::map<std::int32_t, RangeSet, std::greater<>> levels_;
  std::map<JobId, std::int32_t> priorities_;
  std::uint64_t size_ = 0;
};

}  // namespace fantail
