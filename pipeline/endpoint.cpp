#include "pipeline/endpoint.h"

#include <charconv>

namespace fantail {

namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kIpc = "ipc://";
// sockaddr_un has room for 108 bytes; lanes append a number to the path.
constexpr std::size_t kIpcPathBytesMax = 95;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text == "*") return std::uint16_t{0};
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

std::string Endpoint::text() const {
  if (transport == Transport::kIpc) return std::string(kIpc) + host;
  return std::string(kTcp) + host + ":" + (port == 0 ? std::string("*") : std::to_string(port));
}

bool Endpoint::is_local() const {
  // A name such as 127.example.com leads anywhere: only an address in digits is one.
  const bool loopback =
      host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
  return transport == Transport::kIpc || host == "localhost" || loopback || host == "[::1]";
}

Endpoint Endpoint::with_port(std::uint32_t other_port) const {
  Endpoint other = *this;
  if (transport == Transport::kTcp) {
    other.port = static_cast<std::uint16_t>(other_port);
  } else {
    other.host += "." + std::to_string(other_port);
  }
  return other;
}

Endpoint Endpoint::with_host(std::string_view other_host) const {
  Endpoint other = *this;
  other.host = other_host;
  return other;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with(kIpc)) {
    text.remove_prefix(kIpc.size());
    if (text.empty() || text.size() > kIpcPathBytesMax) return std::nullopt;
    return Endpoint{Endpoint::Transport::kIpc, std::string(text), 0};
  }
  if (!text.starts_with(kTcp)) return std::nullopt;
  text.remove_prefix(kTcp.size());
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  // A bare IPv6 address is ambiguous: it needs its brackets.
  if (host.find(':') != std::string_view::npos && !(host.front() == '[' && host.back() == ']'))
    return std::nullopt;
  const std::optional<std::uint16_t> port = parse_port(text.substr(colon + 1));
  if (!port) return std::nullopt;
  return Endpoint{Endpoint::Transport::kTcp, std::string(host), *port};
}

}  // namespace fantail
