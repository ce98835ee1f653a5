#include "pipeline/duration.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace fantail {
namespace {

using std::chrono::microseconds;

TEST(Duration, ReadsNumbersWithUnits) {
  struct Case {
    std::string_view text;
    std::int64_t expected_us;
  };
  const Case cases[] = {
      {"10s", 10'000'000},
      {"500ms", 500'000},
      {"250us", 250},
      {"2m", 120'000'000},
      {"1h", 3'600'000'000},
      {"1h30m", 5'400'000'000},
      {"1.5s", 1'500'000},
      {"0", 0},
      {"0s", 0},
      {"7", 7'000'000},
      {"0.25", 250'000},
      {"1m5s", 65'000'000},
      {"1.5h", 5'400'000'000},
      {"0.001ms", 1},
      {"1.50000000000000000000s", 1'500'000},
      {"1h2m3s4ms5us", 3'723'004'005},
      {"315360000000000us", 315360000000000},
  };
  for (const Case& c : cases)
    EXPECT_EQ(parse_duration(c.text), microseconds(c.expected_us)) << c.text;
}

TEST(Duration, RefusesEverythingElse) {
  for (const char* text : {"",
                           " ",
                           "s",
                           "-1s",
                           "+1s",
                           "1 s",
                           " 1s",
                           "1s ",
                           "1x",
                           "10sec",
                           "1S",
                           "1h30",
                           "30m1h",
                           "1s1s",
                           ".5s",
                           "5.s",
                           "1..5s",
                           "1e3",
                           "nan",
                           "inf",
                           "0.5us",
                           "0.0000001s",
                           "1,5s",
                           "315360000000001us",
                           "9223372036854775808us",
                           "87601h",
                           "99999999999999999999",
                           "87600h1s",
                           "87600h1us",
                           "87599h3601s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Duration, FormatsForPeople) {
  struct Case {
    std::int64_t us;
    std::string_view expected;
  };
  const Case cases[] = {
      {0, "0 ms"},
      {-5, "0 ms"},
      {49, "0 ms"},
      {50, "0.1 ms"},
      {400, "0.4 ms"},
      {3'000, "3.0 ms"},
      {9'949, "9.9 ms"},
      {9'950, "10 ms"},
      {112'000, "112 ms"},
      {456'499, "456 ms"},
      {999'499, "999 ms"},
      {999'500, "1.00 s"},
      {1'200'000, "1.20 s"},
      {2'240'000, "2.24 s"},
      {59'994'999, "59.99 s"},
      {59'995'000, "1 m 00 s"},
      {65'000'000, "1 m 05 s"},
      {3'599'499'999, "59 m 59 s"},
      {3'599'500'000, "1 h 00 m 00 s"},
      {7'209'000'000, "2 h 00 m 09 s"},
      {std::numeric_limits<std::int64_t>::max(), "2562047788 h 00 m 55 s"},
      {std::numeric_limits<std::int64_t>::min(), "0 ms"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(format_duration(microseconds(c.us)), c.expected) << c.us;
}

}  // namespace
}  // namespace fantail
