// Content hashes by name: xxh3 is XXH3's 128 bits in canonical (big-endian) order, blake2b has 512 bits; the
// others are what their names say. A Hasher is made once and used for many streams; it knows nothing of
// files.
#pragma once

#include <openssl/evp.h>
#include <xxhash.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace fantail {

enum class HashAlgorithm : std::uint8_t { kNone, kXxh3, kMd5, kSha1, kSha256, kSha512, kBlake2b };

// The names are lower case: xxh3, md5, sha1, sha256, sha512, blake2b and none.
std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view name);

class Hasher {
 public:
  // Nothing when this machine's OpenSSL refuses the algorithm (MD5 under a FIPS policy, say).
  static std::optional<Hasher> make(HashAlgorithm algorithm);

  // Whether there is something to do: false for kNone.
  bool hashes() const { return xxh3_ || context_; }

  // Starts the next stream; also needed before the first.
  void reset();
  void update(std::span<const std::byte> bytes);
  // The binary digest, valid until the next call; empty for kNone. Nothing when OpenSSL failed on the way.
  std::optional<std::string_view> finish();
  // The three for a stream that lies in memory as a whole.
  std::optional<std::string_view> hash(std::span<const std::byte> bytes);

 private:
  struct Deleter {
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };

  Hasher() = default;
  std::string_view canonical(XXH128_hash_t hash);

  // One of the two is set, or none for kNone.
  std::unique_ptr<XXH3_state_t, Deleter> xxh3_;
  std::unique_ptr<EVP_MD, Deleter> digest_;
  std::unique_ptr<EVP_MD_CTX, Deleter> context_;
  std::array<char, EVP_MAX_MD_SIZE> result_{};
  bool failed_ = false;
};

}  // namespace fantail
