// How much of the output of running jobs is on its way to the sink and not yet durable there. It is bounded:
// who has no room lets its child wait.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "pipeline/range_set.h"

namespace fantail {

class OutstandingOutput {
 public:
  static constexpr std::uint64_t kJobBytesMax = 4 << 20;
  // Of all jobs. Below what makes a session ask for no more jobs.
  static constexpr std::uint64_t kBytesMax = 12 << 20;

  bool has_room(JobId job) const { return of(job) < kJobBytesMax && total_ < kBytesMax; }
  std::uint64_t of(JobId job) const;
  void add(JobId job, std::uint64_t bytes);
  void remove(JobId job, std::uint64_t bytes);
  void clear();

 private:
  std::unordered_map<JobId, std::uint64_t> bytes_;
  std::uint64_t total_ = 0;
};

}  // namespace fantail
