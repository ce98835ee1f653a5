// Parses and serializes the host of a URL: a domain, an IPv4 or IPv6 address, or an opaque host.
// Source: https://url.spec.whatwg.org/#host-parsing. Resolves nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fantail {

enum class HostKind {
  kDomain,  // of special schemes: names and IPv4 addresses, any script
  kOpaque,  // of all other schemes: ASCII stays as it is
};

// Requires: text is valid UTF-8 and not empty. Empty on failure.
std::optional<std::string> parse_host(std::string_view text, HostKind kind);

}  // namespace fantail
