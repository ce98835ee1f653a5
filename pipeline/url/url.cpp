#include "pipeline/url/url.h"

#include "pipeline/url/scheme.h"

namespace fantail {

std::string Url::href_without_fragment() const {
  std::string out = scheme + ":";
  if (host) {
    out += "//";
    if (!username.empty() || !password.empty()) {
      out += username;
      if (!password.empty()) out.append(":").append(password);
      out += "@";
    }
    out += *host;
    if (port) out.append(":").append(std::to_string(*port));
  } else if (!has_opaque_path && path.starts_with("//")) {
    // Without this the path's first empty segment would be read back as the start of a host.
    out += "/.";
  }
  out += path;
  if (query) out.append("?").append(*query);
  return out;
}

std::string Url::href() const {
  std::string out = href_without_fragment();
  if (fragment) out.append("#").append(*fragment);
  return out;
}

bool Url::is_http() const {
  return scheme == "http" || scheme == "https";
}

std::uint16_t Url::effective_port() const {
  return port.value_or(default_port(scheme).value_or(0));
}

std::string Url::host_and_port() const {
  return host.value_or(std::string()) + ":" + std::to_string(effective_port());
}

}  // namespace fantail
