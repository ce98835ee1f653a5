#include "sink/digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "kinds.pb.h"
#include "outcome_support.h"

namespace fantail {
namespace {

std::string hex(XXH128_hash_t hash) {
  Digest digest;
  digest.add(hash);
  return digest.hex();
}

TEST(Digest, OfNothingIsZero) {
  EXPECT_EQ(Digest{}.hex(), "00000000000000000000000000000000");
}

TEST(Digest, CarriesFromTheLowHalfToTheHigh) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  Digest digest;
  digest.add({kMax, 1});
  digest.add({2, 3});
  EXPECT_EQ(digest, (Digest{1, 5}));
  EXPECT_EQ(digest.hex(), "00000000000000050000000000000001");
}

TEST(Digest, WrapsAroundAt128Bits) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  Digest digest;
  digest.add({kMax, kMax});
  digest.add({1, 0});
  EXPECT_EQ(digest, Digest{});
}

TEST(Digest, IsReadBackFromItsDigits) {
  const Digest digest{0x0123456789abcdef, 0xfedcba9876543210};
  EXPECT_EQ(Digest::from_hex(digest.hex()), digest);
  EXPECT_EQ(Digest::from_hex(Digest{}.hex()), Digest{});
  EXPECT_EQ(Digest::from_hex(""), std::nullopt);
  EXPECT_EQ(Digest::from_hex(std::string(31, '0')), std::nullopt);
  EXPECT_EQ(Digest::from_hex(std::string(31, '0') + "g"), std::nullopt);
}

TEST(Digest, DoesNotDependOnTheOrder) {
  std::vector<XXH128_hash_t> hashes;
  for (std::uint64_t i = 0; i < 50; ++i)
    hashes.push_back(XXH3_128bits(&i, sizeof i));
  Digest forward;
  for (const XXH128_hash_t& hash : hashes)
    forward.add(hash);
  std::reverse(hashes.begin(), hashes.end());
  std::rotate(hashes.begin(), hashes.begin() + 17, hashes.end());
  Digest shuffled;
  for (const XXH128_hash_t& hash : hashes)
    shuffled.add(hash);
  EXPECT_EQ(forward, shuffled);
}

TEST(OutcomeHasher, LaysOutEveryType) {
  OutcomeHasher hasher;
  hasher.begin(0x0102030405060708, Status::kFailed);
  hasher.add_null();
  hasher.add_bool(true);
  hasher.add_bool(false);
  hasher.add_integer(258);
  hasher.add_string("ab");
  hasher.add_hex("\xAB\x01");
  const std::vector<std::string> links = {"x", ""};
  hasher.add_list(links);
  using namespace std::string_literals;
  EXPECT_EQ(hasher.encoded(),
            "\x08\x07\x06\x05\x04\x03\x02\x01\x02"s  // job, status
            "n"
            "b\x01"
            "b\x00"
            "i\x02\x01\0\0\0\0\0\0"  // null, true, false, 258
            "s\x02\0\0\0\0\0\0\0"
            "ab"
            "s\x04\0\0\0\0\0\0\0"
            "ab01"
            "l\x02\0\0\0\0\0\0\0"
            "\x01\0\0\0\0\0\0\0"
            "x"
            "\0\0\0\0\0\0\0\0"s);
}

TEST(OutcomeHasher, TakesAFieldByItsType) {
  OutcomeHasher one;
  one.begin(1, Status::kOk);
  one.add_null();
  one.add_bool(true);
  one.add_integer(9);
  one.add_string("1.50");
  one.add_string("text");
  const std::vector<std::string> links = {"a", "b"};
  one.add_list(links);
  OutcomeHasher other;
  other.begin(1, Status::kOk);
  for (const FieldValue& value :
       {FieldValue{}, FieldValue{true}, FieldValue{std::uint64_t{9}}, FieldValue{Decimal{"1.50"}},
        FieldValue{std::string("text")}, FieldValue{links}}) {
    other.add_field(value);
  }
  EXPECT_EQ(one.encoded(), other.encoded());
}

TEST(OutcomeHasher, BeginsAfreshForEveryOutcome) {
  OutcomeHasher hasher;
  hasher.begin(1, Status::kOk);
  hasher.add_string("something long that must be gone");
  hasher.begin(7, Status::kOk);
  hasher.add_string("hello");
  EXPECT_EQ(hasher.encoded().size(), 8U + 1 + 1 + 8 + 5);
}

// The example of docs/REPORT.md: whoever changes the layout changes the contract.
TEST(OutcomeHasher, GivesTheDocumentedHash) {
  OutcomeHasher hasher;
  hasher.begin(7, Status::kOk);
  hasher.add_string("hello");
  EXPECT_EQ(hex(hasher.hash()), "c6a7f254bb97766b522a2383278d856e");
}

}  // namespace
}  // namespace fantail
