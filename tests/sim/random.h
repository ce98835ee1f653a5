// The simulator's one source of chance: SplitMix64, so that a seed means the same with every standard
// library.
#pragma once

#include <cstdint>

#include "pipeline/instant.h"
#include "pipeline/mix.h"

namespace fantail::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed + 0x9E3779B97F4A7C15ULL)) {}

  std::uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15ULL); }
  // 0 .. limit - 1. The remainder's bias does not matter here.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + below(most - least + 1); }
  bool chance(std::uint64_t per_mille) { return below(1000) < per_mille; }
  Duration between(Duration least, Duration most) {
    return least + Duration(static_cast<Duration::rep>(
                       below(static_cast<std::uint64_t>((most - least).count()) + 1)));
  }

 private:
  std::uint64_t state_;
};

}  // namespace fantail::sim
