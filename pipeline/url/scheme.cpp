#include "pipeline/url/scheme.h"

namespace fantail {

bool is_special_scheme(std::string_view scheme) {
  return scheme == "file" || default_port(scheme).has_value();
}

std::optional<std::uint16_t> default_port(std::string_view scheme) {
  if (scheme == "http" || scheme == "ws") return std::uint16_t{80};
  if (scheme == "https" || scheme == "wss") return std::uint16_t{443};
  if (scheme == "ftp") return std::uint16_t{21};
  return std::nullopt;
}

}  // namespace fantail
