#include "worker/files/hashing.h"

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

std::optional<std::string_view> Hasher::finish() {
  std::size_t size = 0;
  if (xxh3_) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(xxh3_.get()));
    size = sizeof(canonical.digest);
    std::memcpy(result_.data(), canonical.digest, size);
  } else if (context_) {
    unsigned length = 0;
    auto* target = reinterpret_cast<unsigned char*>(result_.data());
    if (EVP_DigestFinal_ex(context_.get(), target, &length) != 1) failed_ = true;
    size = length;
  }
  if (failed_) return std::nullopt;
  return std::string_view(result_.data(), size);
}

}  // namespace fantail
