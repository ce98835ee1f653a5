// Messages that a role took in and did not act on, by why: nothing is lost by it, but much of it says that
// something is wrong.
#pragma once

#include <cstdint>
#include <string>

namespace fantail {

struct DroppedMessages {
  std::uint64_t late = 0;    // overtaken by what came before, or come twice
  std::uint64_t forged = 0;  // unreadable, or at odds with itself: no role of fantail sends such
  std::uint64_t stale = 0;   // of another run, or from or for a former life of a process

  std::string text() const {
    return std::to_string(late) + " late, " + std::to_string(forged) + " forged and " +
           std::to_string(stale) + " stale messages were dropped";
  }
  bool operator==(const DroppedMessages&) const = default;
};

}  // namespace fantail
