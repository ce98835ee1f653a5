#include "pipeline/app/wake_event.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace fantail {

WakeEvent::WakeEvent() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

WakeEvent::~WakeEvent() {
  close(descriptor_);
}

void WakeEvent::signal() {
  const std::uint64_t one = 1;
  // A full counter is readable too, so a failed write is no loss.
  [[maybe_unused]] const auto written = write(descriptor_, &one, sizeof(one));
}

void WakeEvent::clear() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(descriptor_, &count, sizeof(count));
}

}  // namespace fantail
