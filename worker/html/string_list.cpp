#include "worker/html/string_list.h"

#include <xxhash.h>

#include <random>

namespace fantail {
namespace {

constexpr std::size_t kFirstSlots = 256;
constexpr std::size_t kUsualBytes = 32;  // of a link

std::uint64_t hash_of(std::string_view text) {
  static const std::uint64_t seed = [] {
    std::random_device random;
    return std::uint64_t{random()} << 32 | random();
  }();
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

std::uint32_t high_half(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace

bool DistinctStrings::add(std::string_view text) {
  if (2 * (list_.size() + 1) > slots_.size()) grow();
  const std::uint64_t hash = hash_of(text);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].entry != 0; at = (at + 1) & mask) {
    if (slots_[at].hash == high_half(hash) && list_[slots_[at].entry - 1] == text) return false;
  }
  list_.add(text);
  put(hash, list_.size());
  return true;
}

void DistinctStrings::put(std::uint64_t hash, std::size_t entry) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].entry != 0)
    at = (at + 1) & mask;
  slots_[at] = {high_half(hash), static_cast<std::uint32_t>(entry)};
}

void DistinctStrings::grow() {
  slots_.assign(slots_.empty() ? kFirstSlots : 4 * slots_.size(), {});
  list_.reserve(slots_.size() / 2, slots_.size() / 2 * kUsualBytes);
  for (std::size_t i = 0; i < list_.size(); ++i)
    put(hash_of(list_[i]), i + 1);
}

}  // namespace fantail
