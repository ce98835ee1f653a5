// Addresses of the three roles: tcp://host:port and ipc://path. Ports beyond the first are told as numbers;
// the peer derives the endpoint from the one that it already dialled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

struct Endpoint {
  enum class Transport { kTcp, kIpc };
  Transport transport = Transport::kTcp;
  std::string host;        // tcp: name, address, [IPv6] or *; ipc: the path
  std::uint16_t port = 0;  // tcp; 0 binds any free one

  std::string text() const;
  std::string_view transport_name() const { return transport == Transport::kTcp ? "tcp" : "ipc"; }
  // ipc, localhost, 127.0.0.0/8 or [::1]: nothing outside this machine reaches it.
  bool is_local() const;
  // The endpoint of this peer's port number `port`: another tcp port of the host, or path.PORT beside the ipc
  // path.
  Endpoint with_port(std::uint32_t other_port) const;
  Endpoint with_host(std::string_view other_host) const;
  bool operator==(const Endpoint&) const = default;
};

std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace fantail
