// How often workers died while they held a job.
#pragma once

#include <cstdint>

namespace fantail {

struct Deaths {
  std::uint32_t total = 0;
  std::uint32_t alone = 0;  // of these: the worker held nothing else
  bool operator==(const Deaths&) const = default;
};

}  // namespace fantail
