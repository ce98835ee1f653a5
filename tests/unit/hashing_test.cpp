#include "worker/files/hashing.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/support/hex.h"

namespace fantail {
namespace {

Hasher hasher_named(std::string_view name) {
  const auto algorithm = parse_hash_algorithm(name);
  EXPECT_TRUE(algorithm) << name;
  auto hasher = Hasher::make(algorithm.value());
  EXPECT_TRUE(hasher) << name;
  return std::move(hasher).value();
}

void feed(Hasher& hasher, std::string_view text) {
  hasher.update(std::as_bytes(std::span(text)));
}

std::string hash(Hasher& hasher, std::string_view text) {
  hasher.reset();
  feed(hasher, text);
  const auto digest = hasher.finish();
  EXPECT_TRUE(digest);
  return hex(digest.value_or("failed"));
}

// Of "abc": the vectors of RFC 1321, FIPS 180 and RFC 7693; for xxh3 what `xxhsum -H2` prints.
const std::map<std::string, std::string> kOfAbc = {
    {"md5", "900150983cd24fb0d6963f7d28e17f72"},
    {"sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"sha512",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"blake2b",
     "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
     "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
    {"xxh3", "06b05ab6733a618578af5f94892f3950"},
    {"none", ""},
};

TEST(Hashing, KnowsTheNamesAndNoOthers) {
  EXPECT_EQ(parse_hash_algorithm("xxh3"), HashAlgorithm::kXxh3);
  EXPECT_EQ(parse_hash_algorithm("md5"), HashAlgorithm::kMd5);
  EXPECT_EQ(parse_hash_algorithm("sha1"), HashAlgorithm::kSha1);
  EXPECT_EQ(parse_hash_algorithm("sha256"), HashAlgorithm::kSha256);
  EXPECT_EQ(parse_hash_algorithm("sha512"), HashAlgorithm::kSha512);
  EXPECT_EQ(parse_hash_algorithm("blake2b"), HashAlgorithm::kBlake2b);
  EXPECT_EQ(parse_hash_algorithm("none"), HashAlgorithm::kNone);
  for (const char* name : {"", "MD5", "sha", "sha3", "xxh64", "md5 ", "blake2b-512"}) {
    EXPECT_EQ(parse_hash_algorithm(name), std::nullopt) << name;
  }
}

TEST(Hashing, MeetsTheKnownVectors) {
  for (const auto& [name, expected] : kOfAbc) {
    Hasher hasher = hasher_named(name);
    EXPECT_EQ(hash(hasher, "abc"), expected) << name;
  }
}

TEST(Hashing, HashesNothingToo) {
  Hasher xxh3 = hasher_named("xxh3");
  EXPECT_EQ(hash(xxh3, ""), "99aa06d3014798d86001c324468d497f");
  Hasher md5 = hasher_named("md5");
  EXPECT_EQ(hash(md5, ""), "d41d8cd98f00b204e9800998ecf8427e");
  Hasher none = hasher_named("none");
  EXPECT_EQ(hash(none, ""), "");
}

TEST(Hashing, SplitsMakeNoDifference) {
  std::string text;
  for (int i = 0; i < 700; ++i)
    text.push_back(static_cast<char>(i * 7));
  for (const char* name : {"xxh3", "md5", "sha1", "sha256", "sha512", "blake2b"}) {
    Hasher hasher = hasher_named(name);
    const std::string whole = hash(hasher, text);
    for (std::size_t split = 0; split <= text.size(); split += 13) {
      hasher.reset();
      feed(hasher, std::string_view(text).substr(0, split));
      feed(hasher, std::string_view(text).substr(split));
      EXPECT_EQ(hex(hasher.finish().value_or("failed")), whole) << name << " at " << split;
    }
  }
}

TEST(Hashing, ResetForgetsWhatCameBefore) {
  for (const char* name : {"xxh3", "md5", "sha1", "sha256", "sha512", "blake2b"}) {
    Hasher hasher = hasher_named(name);
    const std::string first = hash(hasher, "abc");
    EXPECT_NE(hash(hasher, "abd"), first) << name;
    hasher.reset();
    feed(hasher, "left in the middle");
    EXPECT_EQ(hash(hasher, "abc"), first) << name;
  }
}

TEST(Hashing, DigestsHaveTheirLengths) {
  const std::map<std::string, std::size_t> lengths = {
      {"none", 0}, {"xxh3", 16}, {"md5", 16}, {"sha1", 20}, {"sha256", 32}, {"sha512", 64}, {"blake2b", 64}};
  for (const auto& [name, length] : lengths) {
    Hasher hasher = hasher_named(name);
    EXPECT_EQ(hash(hasher, "abc").size(), 2 * length) << name;
  }
}

}  // namespace
}  // namespace fantail
