// Reads a large file in one pass through memory, a window at a time. While a core is idle it counts some of
// the windows; the hash has to see all of them in order.
#pragma once

#include <cstdint>

#include "worker/files/counting.h"
#include "worker/files/hashing.h"
#include "worker/processor.h"

namespace fantail {

// Where mapping pays: below, setting up the memory costs as much as the copies that it saves.
constexpr std::uint64_t kLargeFileBytes = 8ULL << 20;

enum class LargeFileEnd : std::uint8_t {
  kRead,
  kStopped,
  kLost,  // it cannot be read this way (any more): hash and counts are worth nothing
};

// Hashes and counts the first `size` bytes. Requires: hasher was reset.
LargeFileEnd read_large_file(int descriptor, std::uint64_t size, const StopToken& stop, Hasher& hasher,
                             Counts& counts);

}  // namespace fantail
