// Sizes in bytes as people write and read them. Knows no locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

// "512", "1_000_000", "64K" and "64KiB" (1024 bytes each), "1MB" (10^6); units up to T, in any case. Empty
// for anything else, overflow too.
std::optional<std::uint64_t> parse_byte_size(std::string_view text);

// "512 bytes", "1.2 GiB", "892 KiB": one digit after the point below 10.
std::string format_byte_size(std::uint64_t bytes);

}  // namespace fantail
