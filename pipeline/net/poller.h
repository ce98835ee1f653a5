// Waits for sockets and descriptors until a given time: the one place where a process sleeps.
#pragma once

#include <vector>

#include "pipeline/instant.h"
#include "pipeline/net/socket.h"

namespace fantail {

Instant steady_now();
// What poll() is told so that it wakes then, an hour at most at a time.
int poll_timeout_ms(Instant wake);

class Poller {
 public:
  void add(Socket& socket) { items_.push_back({socket.raw().handle(), 0, ZMQ_POLLIN, 0}); }
  void add(ConnectionWatch& watch) { items_.push_back({watch.raw().handle(), 0, ZMQ_POLLIN, 0}); }
  void add(int descriptor) { items_.push_back({nullptr, descriptor, ZMQ_POLLIN, 0}); }
  void clear() { items_.clear(); }
  // Returns when one is readable, a signal came, or it is time.
  void wait_until(Instant wake);

 private:
  std::vector<zmq::pollitem_t> items_;
};

}  // namespace fantail
