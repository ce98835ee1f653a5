#include "worker/files/hashing.h"

#ifdef FANTAIL_XXHASH_DISPATCHES
// Replaces the functions by ones that use AVX2 or AVX-512 where the processor has it: two and a half times as
// fast.
#include <xxh_x86dispatch.h>
#endif

#include <cstring>

namespace fantail {
namespace {

struct AlgorithmName {
  std::string_view name;
  HashAlgorithm algorithm;
  const char* openssl_name;  // null: not OpenSSL's
};

constexpr AlgorithmName kAlgorithms[] = {
    {"none", HashAlgorithm::kNone, nullptr},
    {"xxh3", HashAlgorithm::kXxh3, nullptr},
    {"md5", HashAlgorithm::kMd5, "MD5"},
    {"sha1", HashAlgorithm::kSha1, "SHA1"},
    {"sha256", HashAlgorithm::kSha256, "SHA256"},
    {"sha512", HashAlgorithm::kSha512, "SHA512"},
    {"blake2b", HashAlgorithm::kBlake2b, "BLAKE2B-512"},
};

const char* openssl_name(HashAlgorithm algorithm) {
  for (const AlgorithmName& known : kAlgorithms) {
    if (known.algorithm == algorithm) return known.openssl_name;
  }
  return nullptr;
}

}  // namespace

std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view name) {
  for (const AlgorithmName& known : kAlgorithms) {
    if (known.name == name) return known.algorithm;
  }
  return std::nullopt;
}

std::optional<Hasher> Hasher::make(HashAlgorithm algorithm) {
  Hasher hasher;
  if (algorithm == HashAlgorithm::kXxh3) {
    hasher.xxh3_.reset(XXH3_createState());
    if (!hasher.xxh3_) return std::nullopt;
  } else if (const char* name = openssl_name(algorithm)) {
    // Fetching searches OpenSSL's providers under a lock, which costs more than hashing a small file: once is
    // enough.
    hasher.digest_.reset(EVP_MD_fetch(nullptr, name, nullptr));
    hasher.context_.reset(EVP_MD_CTX_new());
    if (!hasher.digest_ || !hasher.context_) return std::nullopt;
  }
  hasher.reset();
  if (hasher.failed_) return std::nullopt;
  return hasher;
}

void Hasher::reset() {
  failed_ = false;
  if (xxh3_) failed_ = XXH3_128bits_reset(xxh3_.get()) != XXH_OK;
  if (context_) failed_ = EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) != 1;
}

void Hasher::update(std::span<const std::byte> bytes) {
  if (xxh3_ && XXH3_128bits_update(xxh3_.get(), bytes.data(), bytes.size()) != XXH_OK) failed_ = true;
  if (context_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) failed_ = true;
}

std::string_view Hasher::canonical(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  std::memcpy(result_.data(), canonical.digest, sizeof(canonical.digest));
  return {result_.data(), sizeof(canonical.digest)};
}

std::optional<std::string_view> Hasher::finish() {
  unsigned size = 0;
  if (context_ &&
      EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(result_.data()), &size) != 1) {
    failed_ = true;
  }
  if (failed_) return std::nullopt;
  if (xxh3_) return canonical(XXH3_128bits_digest(xxh3_.get()));
  return std::string_view(result_.data(), size);
}

std::optional<std::string_view> Hasher::hash(std::span<const std::byte> bytes) {
  // The state of a stream would cost as much as the hash of a small file.
  if (xxh3_) return canonical(XXH3_128bits(bytes.data(), bytes.size()));
  reset();
  update(bytes);
  return finish();
}

}  // namespace fantail
