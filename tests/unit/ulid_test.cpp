#include "pipeline/ulid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace fantail {
namespace {

constexpr std::array<std::uint8_t, 10> kZeros{};
constexpr std::array<std::uint8_t, 10> kOnes{255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

TEST(Ulid, HasSixteenBytesAndTwentySixCharacters) {
  EXPECT_EQ(make_ulid(0, kZeros), std::string(16, '\0'));
  EXPECT_EQ(ulid_text(make_ulid(0, kZeros)), std::string(26, '0'));
  EXPECT_EQ(ulid_text(make_ulid((1ULL << 48) - 1, kOnes)), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
      << "the largest of the spec";
}

TEST(Ulid, SpellsTheTimeInTheFirstTenCharacters) {
  // The time of the example in the specification.
  EXPECT_EQ(ulid_text(make_ulid(1469918176385, kZeros)).substr(0, 10), "01ARYZ6S41");
  EXPECT_EQ(ulid_text(make_ulid(0, kOnes)), "0000000000ZZZZZZZZZZZZZZZZ");
}

TEST(Ulid, BytesSortAsTextsDo) {
  std::vector<std::string> bytes;
  for (const std::uint64_t ms : {1ULL, 2ULL, 31ULL, 32ULL, 255ULL, 256ULL, 1ULL << 40}) {
    bytes.push_back(make_ulid(ms, kZeros));
    bytes.push_back(make_ulid(ms, kOnes));
  }
  EXPECT_TRUE(std::is_sorted(bytes.begin(), bytes.end()));
  EXPECT_TRUE(std::is_sorted(bytes.begin(), bytes.end(),
                             [](const auto& a, const auto& b) { return ulid_text(a) < ulid_text(b); }));
}

TEST(Ulid, NewOnesDiffer) {
  std::set<std::string> seen;
  for (int count = 0; count < 100; ++count)
    seen.insert(new_ulid());
  EXPECT_EQ(seen.size(), 100u);
}

TEST(Ulid, OtherLengthsHaveNoText) {
  EXPECT_EQ(ulid_text(""), "invalid");
  EXPECT_EQ(ulid_text(std::string(15, 'x')), "invalid");
  EXPECT_EQ(ulid_text(std::string(17, 'x')), "invalid");
}

}  // namespace
}  // namespace fantail
