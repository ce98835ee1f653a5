// The special schemes of https://url.spec.whatwg.org/#special-scheme and their default ports.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fantail {

bool is_special_scheme(std::string_view scheme);

// Empty for file and for every scheme that is not special.
std::optional<std::uint16_t> default_port(std::string_view scheme);

}  // namespace fantail
