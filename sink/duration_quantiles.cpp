#include "sink/duration_quantiles.h"

#include <bit>
#include <cassert>

namespace fantail {

namespace {

constexpr unsigned kSubBits = 4;
constexpr std::uint64_t kSubBuckets = 1 << kSubBits;

std::size_t bucket_of(std::uint64_t value) {
  if (value < kSubBuckets) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
  return (shift + 1) * kSubBuckets + ((value >> shift) - kSubBuckets);
}

// The largest value of the bucket.
std::uint64_t top_of(std::size_t bucket) {
  if (bucket < kSubBuckets) return bucket;
  const auto shift = static_cast<unsigned>(bucket / kSubBuckets) - 1;
  return ((bucket % kSubBuckets + kSubBuckets + 1) << shift) - 1;
}

}  // namespace

void DurationQuantiles::add(std::uint64_t microseconds) {
  const std::size_t bucket = bucket_of(microseconds);
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  ++buckets_[bucket];
  ++count_;
}

std::uint64_t DurationQuantiles::at_percent(std::uint32_t percent) const {
  assert(count_ > 0);
  std::uint64_t left = count_ * percent / 100;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    if (buckets_[bucket] > left) return top_of(bucket);
    left -= buckets_[bucket];
  }
  return top_of(buckets_.size() - 1);
}

}  // namespace fantail
