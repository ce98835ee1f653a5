#include "pipeline/json_line.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

TEST(JsonLine, TakesOutWhiteSpaceAndKeepsTheRest) {
  EXPECT_EQ(compact_json(" { \"a\" : [ 1 , 2.50 , { } , [ ] ] ,\n\"b\": \"x y\" }\r"),
            R"({"a":[1,2.50,{},[]],"b":"x y"})");
  for (const char* same : {"null", "true", "false", "0", "-1", "1e5", "1E-7", "0.10", "18446744073709551616",
                           "\"\"", R"("\"\\\n\u0000é")", "[[],{}]", R"({"a":1,"a":2})"})
    EXPECT_EQ(compact_json(same), same);
}

TEST(JsonLine, KnowsWhatIsNoJson) {
  for (const char* text : {"", " ", "hello", "007", "+1", "1 2", "[1", "{\"a\"}", "NaN", "'x'", "1e999",
                           "\"\\ud800\"", "\"a\nb\"", "\"\xFF\"", "[1,]"})
    EXPECT_EQ(compact_json(text), std::nullopt) << text;
  EXPECT_EQ(compact_json(std::string_view("1\0", 2)), std::nullopt);
}

TEST(JsonLine, DeepValuesCostNoStack) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_EQ(compact_json(deep), deep);
}

TEST(JsonLine, AnInputIsItsValueOrAString) {
  EXPECT_EQ(json_of_input("12", 1, false), "12");
  EXPECT_EQ(json_of_input("{\n\"a\": 1}", 1, false), R"({"a":1})");
  EXPECT_EQ(json_of_input("007", 1, false), "\"007\"");
  EXPECT_EQ(json_of_input("", 1, false), "\"\"");
  EXPECT_EQ(json_of_input("a\tb\n\"", 1, false), R"("a\tb\n\"")");
  EXPECT_EQ(json_of_input("12", 1, true), "\"12\"");
  EXPECT_EQ(json_of_input("\xFF", 1, false), std::nullopt);
}

TEST(JsonLine, SeveralArgumentsAreAnArray) {
  EXPECT_EQ(json_of_input("1\tx\t", 3, false), R"([1,"x",""])");
  EXPECT_EQ(json_of_input("1\ttrue", 2, true), R"(["1","true"])");
  EXPECT_EQ(json_of_input("1\t\xFF", 2, false), std::nullopt);
}

}  // namespace
}  // namespace fantail
