#include "pipeline/app/limits.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>

namespace fantail {

void raise_descriptor_limit() {
  // Beyond this nothing here has use for more, and some libraries loop over all that there could be.
  constexpr rlim_t kEnough = 65536;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  // Refused: the limit stays as it is, and running into it is an error of its own.
  setrlimit(RLIMIT_NOFILE, &limit);
}

void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

}  // namespace fantail
