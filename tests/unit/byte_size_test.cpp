#include "pipeline/byte_size.h"

#include <gtest/gtest.h>

#include <limits>

namespace fantail {
namespace {

constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

TEST(ByteSize, ReadsNumbersWithUnits) {
  struct Case {
    std::string_view text;
    std::uint64_t expected;
  };
  const Case cases[] = {
      {"0", 0},
      {"512", 512},
      {"512B", 512},
      {"1_000_000", 1'000'000},
      {"64K", 65536},
      {"64KiB", 65536},
      {"64kib", 65536},
      {"1kB", 1000},
      {"1MB", 1'000'000},
      {"10MiB", 10485760},
      {"2g", 2147483648},
      {"1GB", 1'000'000'000},
      {"1T", 1099511627776},
      {"1TB", 1'000'000'000'000},
      {"18446744073709551615", kLargest},
      {"16777215TiB", 18446742974197923840U},
  };
  for (const Case& c : cases)
    EXPECT_EQ(parse_byte_size(c.text), c.expected) << c.text;
}

TEST(ByteSize, RefusesEverythingElse) {
  for (const char* text : {"",
                           " ",
                           "K",
                           "-1",
                           "+1",
                           "1 K",
                           " 1",
                           "1 ",
                           "1.5M",
                           "1X",
                           "1KK",
                           "1KiBi",
                           "1i",
                           "_1",
                           "1_",
                           "1__0",
                           "1_K",
                           "18446744073709551616",
                           "16777216TiB",
                           "99999999999999999999999",
                           "1P"}) {
    EXPECT_EQ(parse_byte_size(text), std::nullopt) << text;
  }
}

TEST(ByteSize, FormatsForPeople) {
  struct Case {
    std::uint64_t bytes;
    std::string_view expected;
  };
  const Case cases[] = {
      {0, "0 bytes"},          {1, "1 byte"},           {512, "512 bytes"},   {1023, "1023 bytes"},
      {1024, "1.0 KiB"},       {1536, "1.5 KiB"},       {10188, "9.9 KiB"},   {10189, "10 KiB"},
      {913408, "892 KiB"},     {1048063, "1023 KiB"},   {1048064, "1.0 MiB"}, {1048576, "1.0 MiB"},
      {1288490189, "1.2 GiB"}, {120 * 1024, "120 KiB"}, {kLargest, "16 EiB"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(format_byte_size(c.bytes), c.expected) << c.bytes;
}

}  // namespace
}  // namespace fantail
