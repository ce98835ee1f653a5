#include "pipeline/app/free_port.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string>

#include "pipeline/app/file_descriptor.h"

namespace fantail {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// The port that could be bound, which for 0 is any; 0: none.
std::uint32_t try_port(const Endpoint& base, std::uint32_t port) {
  std::string host = base.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_flags = AI_PASSIVE;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_family = base.host == "*" ? AF_INET : AF_UNSPEC;
  addrinfo* found = nullptr;
  const char* name = host == "*" ? nullptr : host.c_str();
  if (getaddrinfo(name, std::to_string(port).c_str(), &wanted, &found) != 0) return 0;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  const FileDescriptor probe(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!probe.is_open() || bind(probe.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      listen(probe.get(), 1) != 0)
    return 0;
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(probe.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  // The port is at the same place in addresses of both families.
  return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

}  // namespace

std::optional<PortRange> parse_port_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::optional<std::uint16_t> first = parse_port(text.substr(0, dash));
  const std::optional<std::uint16_t> last =
      dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *first > *last || (*first == 0 && *last != 0)) return std::nullopt;
  return PortRange{*first, *last};
}

bool is_port_free(const Endpoint& base, std::uint32_t port) {
  return base.transport == Endpoint::Transport::kIpc || try_port(base, port) == port;
}

std::uint32_t choose_port(const Endpoint& base, PortRange range, const std::set<std::uint32_t>& taken,
                          std::uint32_t from) {
  if (base.transport == Endpoint::Transport::kIpc) {
    std::uint32_t number = std::max(from, 1U);
    while (taken.contains(number))
      ++number;
    return number;
  }
  if (range.last == 0) return try_port(base, 0);
  const std::uint32_t size = range.last - range.first + 1U;
  const std::uint32_t skipped = from > range.first ? (from - range.first) % size : 0;
  for (std::uint32_t index = 0; index < size; ++index) {
    const std::uint32_t port = range.first + (skipped + index) % size;
    if (!taken.contains(port) && is_port_free(base, port)) return port;
  }
  return 0;
}

}  // namespace fantail
