#include <algorithm>

#include "pipeline/url/ascii.h"
#include "pipeline/url/ip_address.h"

namespace fantail {
namespace {

// Larger than any address; numbers stop growing here, so that a million digits cannot overflow.
constexpr std::uint64_t kTooLarge = std::uint64_t{1} << 32;

// One part of a dotted address: decimal, octal after "0", hexadecimal after "0x". "0x" alone is 0.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  unsigned base = 10;
  if (text.size() >= 2 && text[0] == '0') {
    const bool is_hexadecimal = to_ascii_lower(text[1]) == 'x';
    base = is_hexadecimal ? 16 : 8;
    text.remove_prefix(is_hexadecimal ? 2 : 1);
  }
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = ascii_hex_value(c);
    if (digit < 0 || static_cast<unsigned>(digit) >= base) return std::nullopt;
    value = std::min(value * base + static_cast<unsigned>(digit), kTooLarge);
  }
  return value;
}

std::string_view without_final_dot(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

}  // namespace

bool ends_in_a_number(std::string_view host) {
  host = without_final_dot(host);
  const std::string_view last = host.substr(host.rfind('.') + 1);  // npos + 1 is 0: the whole host
  if (last.empty()) return false;
  return std::all_of(last.begin(), last.end(), is_ascii_digit) || parse_number(last).has_value();
}

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  text = without_final_dot(text);
  std::uint64_t address = 0;
  for (unsigned part = 0; part < 4; ++part) {
    const std::size_t dot = text.find('.');
    const std::optional<std::uint64_t> number = parse_number(text.substr(0, dot));
    if (!number) return std::nullopt;
    // The last part fills all the bytes that are left.
    const unsigned bits_left = 32 - 8 * part;
    if (dot == std::string_view::npos) {
      if (*number >= std::uint64_t{1} << bits_left) return std::nullopt;
      return static_cast<std::uint32_t>(address + *number);
    }
    if (*number > 255) return std::nullopt;
    address += *number << (bits_left - 8);
    text.remove_prefix(dot + 1);
  }
  return std::nullopt;
}

std::string serialize_ipv4(std::uint32_t address) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += std::to_string(address >> shift & 0xFF);
    if (shift != 0) out += '.';
  }
  return out;
}

}  // namespace fantail
