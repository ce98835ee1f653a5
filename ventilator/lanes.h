// The PUSH sockets towards the workers, one each, on ports of their own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages.pb.h"
#include "pipeline/app/free_port.h"
#include "pipeline/endpoint.h"
#include "pipeline/instant.h"
#include "pipeline/net/socket.h"
#include "ventilator/leases.h"

namespace fantail {

class Lanes {
 public:
  Lanes(SocketContext& context, PortRange ports) : context_(context), ports_(ports) {}

  // Binds a lane beside the control endpoint `base`. The port number told to the worker, or why there is
  // none.
  struct Opened {
    std::uint32_t port = 0;
    std::string error;
  };
  Opened open(const WorkerId& worker, const Endpoint& base, std::string first_message);
  void close(const WorkerId& worker);
  // Tries to send the first messages: a lane is up once its worker has connected. Returns those that came up.
  // Each try costs a system call, so where many open it tries less often.
  std::vector<WorkerId> try_opening(Instant now);
  bool any_opening() const { return !opening_.empty(); }
  // Those of the others that lost their worker's connection, or have it again, since this was asked before.
  // Looks now and then: it costs a system call a lane, where watching each by ZeroMQ's monitor would cost a
  // socket, whose messages must be read at once.
  struct Change {
    WorkerId worker;
    bool connected;
  };
  std::vector<Change> changes(Instant now);
  bool send(const WorkerId& worker, const proto::Lane& message);

 private:
  struct Lane {
    Socket socket;
    std::uint32_t port;
    std::string first_message;  // until the lane is up
    bool connected = true;      // once it is up
  };

  SocketContext& context_;
  PortRange ports_;
  std::map<WorkerId, Lane> lanes_;
  std::vector<WorkerId> opening_;
  Instant tried_at_{};
  Instant looked_at_{};
  std::uint32_t next_ipc_ = 100;  // numbers below belong to other endpoints of the role
};

}  // namespace fantail
