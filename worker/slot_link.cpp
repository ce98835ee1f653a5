#include "worker/slot_link.h"

#include <sys/socket.h>

namespace fantail {

namespace {

template <typename Message>
bool tell_it(int socket, const Message& message) {
  return send(socket, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof message;
}

template <typename Message>
std::optional<Message> last_of(int socket) {
  std::optional<Message> last;
  Message message;
  while (recv(socket, &message, sizeof message, MSG_DONTWAIT) == sizeof message)
    last = message;
  return last;
}

}  // namespace

std::optional<std::pair<SlotLink, FileDescriptor>> SlotLink::make() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return std::nullopt;
  return std::pair(SlotLink(FileDescriptor(ends[0])), FileDescriptor(ends[1]));
}

bool SlotLink::tell(const SlotAllotment& allotment) {
  return tell_it(socket_.get(), allotment);
}

bool SlotLink::tell(const SlotDemand& demand) {
  return tell_it(socket_.get(), demand);
}

std::optional<SlotAllotment> SlotLink::last_allotment() {
  return last_of<SlotAllotment>(socket_.get());
}

std::optional<SlotDemand> SlotLink::last_demand() {
  return last_of<SlotDemand>(socket_.get());
}

}  // namespace fantail
