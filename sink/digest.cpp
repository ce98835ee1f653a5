#include "sink/digest.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <variant>

namespace fantail {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_hex(std::string& text, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4)
    text += kHexDigits[(value >> shift) & 0xF];
}

}  // namespace

void Digest::add(XXH128_hash_t hash) {
  low += hash.low64;
  const std::uint64_t carry = low < hash.low64 ? 1 : 0;
  high += hash.high64 + carry;
}

std::string Digest::hex() const {
  std::string text;
  append_hex(text, high);
  append_hex(text, low);
  return text;
}

std::optional<Digest> Digest::from_hex(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  std::array<std::uint64_t, 2> halves{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t digit = kHexDigits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    halves[i / 16] = halves[i / 16] << 4 | digit;
  }
  return Digest{halves[1], halves[0]};
}

void OutcomeHasher::append_u64(std::uint64_t value) {
  static_assert(std::endian::native == std::endian::little, "numbers are hashed as they lie in memory");
  std::array<char, sizeof value> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  buffer_.append(bytes.data(), bytes.size());
}

void OutcomeHasher::append_counted(std::string_view bytes) {
  append_u64(bytes.size());
  buffer_.append(bytes);
}

void OutcomeHasher::begin(std::uint64_t job, Status status) {
  buffer_.clear();
  append_u64(job);
  buffer_ += static_cast<char>(status);
}

void OutcomeHasher::add_null() {
  buffer_ += 'n';
}

void OutcomeHasher::add_bool(bool value) {
  buffer_ += 'b';
  buffer_ += value ? '\1' : '\0';
}

void OutcomeHasher::add_integer(std::uint64_t value) {
  buffer_ += 'i';
  append_u64(value);
}

void OutcomeHasher::add_string(std::string_view bytes) {
  buffer_ += 's';
  append_counted(bytes);
}

void OutcomeHasher::add_hex(std::string_view bytes) {
  buffer_ += 's';
  append_u64(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    buffer_ += kHexDigits[byte >> 4];
    buffer_ += kHexDigits[byte & 0xF];
  }
}

void OutcomeHasher::begin_list(std::size_t size) {
  buffer_ += 'l';
  append_u64(size);
}

void OutcomeHasher::add_list(std::span<const std::string> strings) {
  begin_list(strings.size());
  for (const std::string& string : strings)
    add_to_list(string);
}

void OutcomeHasher::add_field(const FieldValue& value) {
  std::visit(
      [this](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::monostate>) add_null();
        if constexpr (std::is_same_v<Held, bool>) add_bool(held);
        if constexpr (std::is_same_v<Held, std::uint64_t>) add_integer(held);
        if constexpr (std::is_same_v<Held, Decimal>) add_string(held.text);
        if constexpr (std::is_same_v<Held, JsonText>) add_string(held.text);
        if constexpr (std::is_same_v<Held, std::string>) add_string(held);
        if constexpr (std::is_same_v<Held, std::vector<std::string>>) add_list(held);
      },
      value);
}

XXH128_hash_t OutcomeHasher::hash() const {
  return XXH3_128bits(buffer_.data(), buffer_.size());
}

}  // namespace fantail
