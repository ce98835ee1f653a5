// How many loads took how long, in fixed buckets from 1 ms to 60 s: exact, and two histograms add up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "ledger.pb.h"

namespace fantail {

class LoadHistogram {
 public:
  // The upper bounds of the buckets, each of them included; one more bucket takes what is longer.
  static constexpr std::array<std::uint64_t, 15> kBoundsMs = {1,   2,    5,    10,   20,    50,    100,  200,
                                                              500, 1000, 2000, 5000, 10000, 20000, 60000};

  void add(std::uint64_t load_us);
  nlohmann::ordered_json json() const;  // {"1": 0, "2": 7, …, "+Inf": 0}; each load is counted once
  proto::LoadHistogramState state() const;
  bool restore(const proto::LoadHistogramState& state);  // false: it has other buckets

 private:
  std::array<std::uint64_t, kBoundsMs.size() + 1> counts_{};
};

}  // namespace fantail
