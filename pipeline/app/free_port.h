// Ports for child processes that are told by number where to listen.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "pipeline/endpoint.h"

namespace fantail {

struct PortRange {
  std::uint16_t first = 5600;
  std::uint16_t last = 6599;  // both 0: any free port
};

std::optional<PortRange> parse_port_range(std::string_view text);  // "5600-6599", "0"

// Nobody listens on the port of that machine address, which must be one of this machine's, now.
bool is_port_free(const Endpoint& base, std::uint32_t port);
// A free one of the range beside `base`, begun at `from`; 0: there is none. For ipc any number that is not
// taken.
std::uint32_t choose_port(const Endpoint& base, PortRange range, const std::set<std::uint32_t>& taken,
                          std::uint32_t from);

}  // namespace fantail
