#include "sink/kinds/kind_state.h"

#include <xxhash.h>

#include <cstring>
#include <limits>

namespace fantail {

namespace {

constexpr std::size_t kHashBytes = sizeof(XXH64_canonical_t);

}  // namespace

std::string seal_state(const proto::KindState& state) {
  std::string bytes = state.SerializeAsString();
  XXH64_canonical_t hash;
  XXH64_canonicalFromHash(&hash, XXH3_64bits(bytes.data(), bytes.size()));
  bytes.append(reinterpret_cast<const char*>(hash.digest), kHashBytes);
  return bytes;
}

std::optional<proto::KindState> open_state(std::string_view bytes) {
  constexpr auto kMaxSize = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (bytes.size() < kHashBytes || bytes.size() > kMaxSize) return std::nullopt;
  const std::size_t size = bytes.size() - kHashBytes;
  XXH64_canonical_t hash;
  std::memcpy(hash.digest, bytes.data() + size, kHashBytes);
  if (XXH64_hashFromCanonical(&hash) != XXH3_64bits(bytes.data(), size)) return std::nullopt;
  proto::KindState state;
  if (!state.ParseFromArray(bytes.data(), static_cast<int>(size))) return std::nullopt;
  return state;
}

}  // namespace fantail
