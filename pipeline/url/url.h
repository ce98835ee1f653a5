// A URL as https://url.spec.whatwg.org/ defines it: the record, the parser and the serializer that browsers
// agree on. Queries are always encoded as UTF-8. Knows nothing of HTTP, DNS or files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

// All parts are serialized: percent-encoded, the host in ASCII.
struct Url {
  std::string scheme;  // "http", without colon
  std::string username, password;
  std::optional<std::string> host;    // IPv6 in brackets
  std::optional<std::uint16_t> port;  // null when it is the scheme's default
  std::string path;                   // "/a/b", or the opaque path: "me@example.com" of a mailto URL
  bool has_opaque_path = false;
  std::optional<std::string> query, fragment;  // without ? and #

  std::string href() const;
  std::string href_without_fragment() const;
  bool is_http() const;                  // scheme is http or https
  std::uint16_t effective_port() const;  // explicit or default port; 0 if none
  std::string host_and_port() const;     // "example.com:443": the key for politeness limits; always with port
};

// Parses any bytes against base (may be null); invalid UTF-8 is read as U+FFFD. Empty on failure.
std::optional<Url> parse_url(std::string_view input, const Url* base = nullptr);

// Keeps what RFC 3986 calls unreserved; every other byte becomes %XX.
std::string percent_encode_component(std::string_view bytes);

}  // namespace fantail
