// IPv4 and IPv6 addresses as they are written in URLs, with the many forms of IPv4 that browsers accept.
// Source: https://url.spec.whatwg.org/#host-parsing
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

using Ipv6Pieces = std::array<std::uint16_t, 8>;

// True if the host's last label is a number: then the host is an IPv4 address or it is invalid.
bool ends_in_a_number(std::string_view host);

// "127.1", "0x7f.0.0.1", "017700000001" and "2130706433" are all 127.0.0.1.
std::optional<std::uint32_t> parse_ipv4(std::string_view text);
std::string serialize_ipv4(std::uint32_t address);

// Without brackets.
std::optional<Ipv6Pieces> parse_ipv6(std::string_view text);
std::string serialize_ipv6(const Ipv6Pieces& pieces);

}  // namespace fantail
