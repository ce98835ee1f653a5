#include "pipeline/ulid.h"

#include <chrono>
#include <random>

namespace fantail {

namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

}  // namespace

std::string make_ulid(std::uint64_t unix_ms, const std::array<std::uint8_t, 10>& random) {
  std::string bytes;
  for (int shift = 40; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>((unix_ms >> shift) & 0xFF));
  for (const std::uint8_t byte : random)
    bytes.push_back(static_cast<char>(byte));
  return bytes;
}

std::string new_ulid() {
  std::random_device device;
  std::array<std::uint8_t, 10> random{};
  for (std::uint8_t& byte : random)
    byte = static_cast<std::uint8_t>(device());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return make_ulid(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()), random);
}

std::optional<std::string> parse_ulid(std::string_view text) {
  if (text.size() != 26) return std::nullopt;
  std::string bytes;
  unsigned bits = 0;
  int held = -2;  // the two zero bits in front
  for (const char letter : text) {
    const std::size_t digit = kAlphabet.find(letter);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 5) | static_cast<unsigned>(digit);
    held += 5;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held));
    bits &= (1U << held) - 1;
  }
  // The first digit has three bits only.
  return ulid_text(bytes) == text ? std::optional(bytes) : std::nullopt;
}

std::string ulid_text(std::string_view bytes) {
  if (bytes.size() != 16) return "invalid";
  // 128 bits in groups of five, the first group being two zero bits and the top three.
  std::string text;
  unsigned bits = 0;
  unsigned held = 2;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<std::uint8_t>(byte);
    held += 8;
    while (held >= 5) {
      held -= 5;
      text.push_back(kAlphabet[(bits >> held) & 31]);
    }
    bits &= (1U << held) - 1;
  }
  return text;
}

}  // namespace fantail
