// ULIDs (https://github.com/ulid/spec): 48 bits of milliseconds, then 80 random bits. 16 bytes on the wire,
// 26 characters of Crockford's base 32 for people. Runs and worker incarnations are named by one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

// 16 bytes, big-endian: they sort as their texts do.
std::string make_ulid(std::uint64_t unix_ms, const std::array<std::uint8_t, 10>& random);
std::string new_ulid();  // reads the wall clock and the kernel's random source
std::string ulid_text(std::string_view bytes);
std::optional<std::string> parse_ulid(std::string_view text);  // capital letters; empty: not one

}  // namespace fantail
