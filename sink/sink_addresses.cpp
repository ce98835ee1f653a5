#include "sink/sink_addresses.h"

namespace fantail {

namespace {

// Where an ipc control endpoint's data socket is: PATH.1
constexpr std::uint32_t kIpcDataPort = 1;

}  // namespace

std::variant<SinkAddresses, std::string> bind_sockets(const SinkOptions& options, Socket& control,
                                                      Socket& results) {
  SinkAddresses addresses;
  addresses.data_port = kIpcDataPort;
  for (const Endpoint& endpoint : options.binds) {
    const bool tcp = endpoint.transport == Endpoint::Transport::kTcp;
    const Socket::Bound bound = control.bind(endpoint);
    if (!bound.endpoint) {
      return "cannot listen on --bind " + endpoint.text() + ": " + bound.error +
             "; stop what runs there or choose another";
    }
    std::uint32_t wanted = kIpcDataPort;
    if (tcp) {
      const bool any = endpoint.port == 0;
      wanted = options.data_port ? *options.data_port : any ? 0 : endpoint.port + 1U;
    }
    const Endpoint beside = bound.endpoint->with_port(wanted);
    const Socket::Bound data = results.bind(beside);
    if (!data.endpoint) {
      return "cannot listen on " + beside.text() + " for results: " + data.error +
             "; choose another --data-port";
    }
    if (tcp) {
      addresses.data_port = data.endpoint->port;
      addresses.tcp_port = bound.endpoint->port;
    }
    addresses.bound.push_back({*bound.endpoint, *data.endpoint});
  }
  return addresses;
}

}  // namespace fantail
