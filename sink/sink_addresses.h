// Where the sink listens: two sockets on every --bind, one for control and one beside it for results.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "pipeline/net/socket.h"
#include "sink/options.h"

namespace fantail {

struct SinkAddresses {
  struct Pair {
    Endpoint control;
    Endpoint results;
  };
  std::vector<Pair> bound;
  std::uint32_t data_port = 0;
  std::uint32_t tcp_port = 0;  // of the control socket on tcp; 0: none
};

// Or why they cannot be bound, as a sentence.
std::variant<SinkAddresses, std::string> bind_sockets(const SinkOptions& options, Socket& control,
                                                      Socket& results);

}  // namespace fantail
