#include "pipeline/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace fantail {
namespace {

std::string sum_of(const std::vector<std::string>& numbers) {
  ExactSum sum;
  for (const std::string& number : numbers)
    EXPECT_TRUE(sum.add(number)) << number;
  return sum.text();
}

TEST(ExactSum, OfNothingIsZero) {
  EXPECT_EQ(ExactSum().text(), "0");
  EXPECT_EQ(sum_of({"0", "-0", "0.000", "0e9"}), "0");
}

TEST(ExactSum, TenTenthsAreOne) {
  EXPECT_EQ(sum_of(std::vector<std::string>(10, "0.1")), "1");
  EXPECT_EQ(sum_of({"0.1", "0.2"}), "0.3");
}

TEST(ExactSum, DoesNotWrap) {
  EXPECT_EQ(sum_of({"18446744073709551615", "18446744073709551615"}), "36893488147419103230");
  EXPECT_EQ(sum_of({"-9223372036854775808", "-9223372036854775808"}), "-18446744073709551616");
  EXPECT_EQ(sum_of({"999999999", "1"}), "1000000000");
  EXPECT_EQ(sum_of({"1000000000", "-1"}), "999999999");
}

TEST(ExactSum, KeepsBothEndsOfADouble) {
  const std::string large = "1" + std::string(308, '0');
  EXPECT_EQ(sum_of({"1e308", "1e-323"}), large + "." + std::string(322, '0') + "1");
  EXPECT_EQ(sum_of({"1E+308", "1e-323", "-1e308"}), "0." + std::string(322, '0') + "1");
}

TEST(ExactSum, Negative) {
  EXPECT_EQ(sum_of({"1", "-1.25"}), "-0.25");
  EXPECT_EQ(sum_of({"-0.5", "-1e12"}), "-1000000000000.5");
  EXPECT_EQ(sum_of({"-1e30", "1e30"}), "0");
}

TEST(ExactSum, RefusesWhatIsNoNumberOrHasNoRoom) {
  ExactSum sum;
  for (const char* text :
       {"", "x", "1.", ".5", "1e", "+1", "1 ", "1e361", "1e-361", "1e99999999999999999999"})
    EXPECT_FALSE(sum.add(text)) << text;
  EXPECT_TRUE(sum.add("1e359"));
  EXPECT_TRUE(sum.add("0.0e-99999"));
  EXPECT_TRUE(sum.add("1e-360"));
  EXPECT_EQ(sum.text(), "1" + std::string(359, '0') + "." + std::string(359, '0') + "1");
}

TEST(ExactSum, DoesNotDependOnTheOrderAndGoesOnFromItsText) {
  std::mt19937_64 random(20'261);
  std::vector<std::string> numbers;
  for (int i = 0; i < 1000; ++i) {
    numbers.push_back((random() % 2 == 0 ? "-" : "") + std::to_string(random()) + "." +
                      std::to_string(random()) + "e" +
                      std::to_string(static_cast<int>(random() % 200) - 100));
  }
  const std::string expected = sum_of(numbers);
  std::shuffle(numbers.begin(), numbers.end(), random);
  EXPECT_EQ(sum_of(numbers), expected);
  const std::vector<std::string> first(numbers.begin(), numbers.begin() + 400);
  std::vector<std::string> second(numbers.begin() + 400, numbers.end());
  second.push_back(sum_of(first));
  EXPECT_EQ(sum_of(second), expected);
}

}  // namespace
}  // namespace fantail
