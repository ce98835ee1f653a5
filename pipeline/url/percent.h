// Percent-encoding and the sets of bytes that it applies to in each part of a URL.
// Source: https://url.spec.whatwg.org/#percent-encoded-bytes. Every set holds all bytes above 0x7E, so
// working on UTF-8 byte by byte is the same as working on code points.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace fantail {

// True for the bytes to encode.
using EncodeSet = std::array<bool, 256>;

constexpr EncodeSet control_encode_set() {
  EncodeSet set{};
  for (std::size_t byte = 0; byte < set.size(); ++byte)
    set[byte] = byte <= 0x1F || byte > 0x7E;
  return set;
}

constexpr EncodeSet extended(EncodeSet set, std::string_view more) {
  for (const char c : more)
    set[static_cast<unsigned char>(c)] = true;
  return set;
}

inline constexpr EncodeSet kControlEncodeSet = control_encode_set();
inline constexpr EncodeSet kFragmentEncodeSet = extended(kControlEncodeSet, " \"<>`");
inline constexpr EncodeSet kQueryEncodeSet = extended(kControlEncodeSet, " \"#<>");
inline constexpr EncodeSet kSpecialQueryEncodeSet = extended(kQueryEncodeSet, "'");
inline constexpr EncodeSet kPathEncodeSet = extended(kQueryEncodeSet, "?^`{}");
inline constexpr EncodeSet kUserinfoEncodeSet = extended(kPathEncodeSet, "/:;=@[\\]|");

void append_percent_encoded(std::string& out, std::string_view bytes, const EncodeSet& set);

// A % that two hexadecimal digits do not follow stays as it is.
std::string percent_decode(std::string_view text);

}  // namespace fantail
