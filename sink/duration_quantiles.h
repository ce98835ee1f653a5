// Quantiles of many durations in little room: counts in buckets that are a sixteenth of a power of two wide,
// so that a quantile is at most 6.25 % too large. The idea is that of HdrHistogram
// (http://hdrhistogram.org/).
#pragma once

#include <cstdint>
#include <vector>

namespace fantail {

class DurationQuantiles {
 public:
  void add(std::uint64_t microseconds);
  std::uint64_t count() const { return count_; }
  // At least so many percent of the durations are no longer than this. Requires: count() > 0.
  std::uint64_t at_percent(std::uint32_t percent) const;

 private:
  std::vector<std::uint64_t> buckets_;  // empty before the first one
  std::uint64_t count_ = 0;
};

}  // namespace fantail
