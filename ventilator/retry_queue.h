// Jobs whose last attempt failed, until the next one is due. Knows no workers and no clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/instant.h"
#include "pipeline/range_set.h"
#include "pipeline/state_hash.h"
#include "ventilator/leases.h"

namespace fantail {

struct BackoffPolicy {
  Duration first = std::chrono::seconds(1);
  Duration longest = std::chrono::seconds(30);
};

// Exponential with full jitter (M. Brooker, "Exponential Backoff and Jitter", 2015): any time up to first *
// 2^(attempt - 1), and up to longest. The same for the same arguments.
Duration backoff(const BackoffPolicy& policy, const std::string& run_id, JobId job, std::uint32_t attempt);

// Whoever asks for a longer pause asks not to be tried again.
inline constexpr Duration kRetryAfterMost = std::chrono::hours(1);
// A peer's word for it, in microseconds; kRetryAfterMost where it is longer.
Duration retry_after(std::uint64_t asked_us);

class RetryQueue {
 public:
  struct Due {
    JobId job = 0;
    Instant at{};
    WorkerId failed_at;
  };

  void add(JobId job, Instant at, const WorkerId& failed_at);
  // Takes these jobs out; returns those that were there.
  std::vector<JobId> take(JobSpan jobs);
  // Of what is due the earliest, so many at most; they stay.
  std::vector<Due> due(Instant now, std::size_t limit) const;
  std::uint64_t size() const { return waiting_.size(); }
  RangeSet take_all();
  Instant next_wake() const;
  void hash(StateHash& hash) const;

 private:
  std::map<JobId, Due> waiting_;
  std::set<std::pair<Instant, JobId>> order_;
};

}  // namespace fantail
