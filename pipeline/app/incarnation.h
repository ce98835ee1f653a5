// A number that grows from one start of a process to the next: epochs are made of it until they are kept on
// disk.
#pragma once

#include <chrono>
#include <cstdint>

namespace fantail {

inline std::uint64_t incarnation_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

}  // namespace fantail
