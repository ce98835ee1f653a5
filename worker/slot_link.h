// Between a worker that shares its slots among runs (agent.h) and the child that works for one of them: a
// pair of sockets on this machine. What they say are states, the last of which counts.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "pipeline/app/file_descriptor.h"

namespace fantail {

struct SlotAllotment {
  std::uint64_t number = 0;  // grows
  std::uint32_t slots = 0;   // that the child may use
};

struct SlotDemand {
  std::uint64_t allotment = 0;     // number of the last one seen; 0: none
  std::uint32_t asynchronous = 0;  // which of the slots it is about
  std::uint32_t wanted = 0;        // that it could use now, with those in use
  std::uint32_t used = 0;          // where that is more than the allotment allows; else 0

  bool operator==(const SlotDemand&) const = default;
};

class SlotLink {
 public:
  static std::optional<std::pair<SlotLink, FileDescriptor>> make();  // with the child's end
  explicit SlotLink(FileDescriptor socket) : socket_(std::move(socket)) {}

  int descriptor() const { return socket_.get(); }
  // False: there is no room, since the other end does not read: say it again later.
  bool tell(const SlotAllotment& allotment);
  bool tell(const SlotDemand& demand);
  // The last one that came; empty: none did.
  std::optional<SlotAllotment> last_allotment();
  std::optional<SlotDemand> last_demand();

 private:
  FileDescriptor socket_;
};

}  // namespace fantail
