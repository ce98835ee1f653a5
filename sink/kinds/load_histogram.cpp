#include "sink/kinds/load_histogram.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace fantail {

void LoadHistogram::add(std::uint64_t load_us) {
  // Rounded up: a load of 1,001 µs is over the bound of 1 ms.
  const std::uint64_t load_ms = load_us / 1000 + (load_us % 1000 != 0 ? 1 : 0);
  const auto bound = std::lower_bound(kBoundsMs.begin(), kBoundsMs.end(), load_ms);
  ++counts_[static_cast<std::size_t>(bound - kBoundsMs.begin())];
}

nlohmann::ordered_json LoadHistogram::json() const {
  nlohmann::ordered_json buckets = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < kBoundsMs.size(); ++i)
    buckets[std::to_string(kBoundsMs[i])] = counts_[i];
  buckets["+Inf"] = counts_.back();
  return buckets;
}

proto::LoadHistogramState LoadHistogram::state() const {
  proto::LoadHistogramState state;
  state.mutable_counts()->Add(counts_.begin(), counts_.end());
  return state;
}

bool LoadHistogram::restore(const proto::LoadHistogramState& state) {
  if (static_cast<std::size_t>(state.counts_size()) != counts_.size()) return false;
  std::copy(state.counts().begin(), state.counts().end(), counts_.begin());
  return true;
}

}  // namespace fantail
