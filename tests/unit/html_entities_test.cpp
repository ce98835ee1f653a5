#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "worker/html/character_reference.h"
#include "worker/html/entities.h"

namespace fantail {
namespace {

std::string_view longest(std::string_view text) {
  const Entity* entity = find_longest_entity(text);
  return entity == nullptr ? "" : entity->name;
}

TEST(HtmlEntities, FindsTheLongestNameThatBeginsTheText) {
  EXPECT_EQ(longest("amp;"), "amp;");
  EXPECT_EQ(longest("ampere"), "amp");
  EXPECT_EQ(longest("notin;"), "notin;");
  EXPECT_EQ(longest("notit;"), "not");
  EXPECT_EQ(longest("noti"), "not");
  EXPECT_EQ(longest("CounterClockwiseContourIntegral;x"), "CounterClockwiseContourIntegral;");
}

TEST(HtmlEntities, FindsNothingWhereNoNameBegins) {
  EXPECT_EQ(find_longest_entity(""), nullptr);
  EXPECT_EQ(find_longest_entity(";"), nullptr);
  EXPECT_EQ(find_longest_entity("zzz;"), nullptr);
  EXPECT_EQ(find_longest_entity("CounterClockwise"), nullptr);
  EXPECT_EQ(find_longest_entity("\xC3\xA4"), nullptr);
}

TEST(HtmlEntities, KnowsTheirText) {
  EXPECT_EQ(find_longest_entity("euro;")->text, "\xE2\x82\xAC");
  EXPECT_EQ(find_longest_entity("AElig;")->text, "\xC3\x86");
  EXPECT_EQ(find_longest_entity("NotEqualTilde;")->text, "\xE2\x89\x82\xCC\xB8");
  EXPECT_EQ(find_longest_entity("zwnj;")->text, "\xE2\x80\x8C");
}

struct Decoded {
  std::size_t taken;
  std::string text;
  bool operator==(const Decoded&) const = default;
};

Decoded decoded(std::string_view text, ReferencePlace place = ReferencePlace::kText) {
  std::string result;
  const std::size_t taken = decode_character_reference(text, place, result);
  return {taken, result};
}

TEST(CharacterReference, DecodesNumbers) {
  EXPECT_EQ(decoded("&#65;x"), (Decoded{5, "A"}));
  EXPECT_EQ(decoded("&#65x"), (Decoded{4, "A"}));
  EXPECT_EQ(decoded("&#x20aC;"), (Decoded{8, "\xE2\x82\xAC"}));
  EXPECT_EQ(decoded("&#X1F600;"), (Decoded{9, "\xF0\x9F\x98\x80"}));
}

TEST(CharacterReference, ReadsNumbersOfWindows1252AsAuthorsMeantThem) {
  EXPECT_EQ(decoded("&#128;").text, "\xE2\x82\xAC");
  EXPECT_EQ(decoded("&#x99;").text, "\xE2\x84\xA2");
  EXPECT_EQ(decoded("&#x81;").text, "\xC2\x81");
}

TEST(CharacterReference, ReplacesNumbersThatAreNoCharacter) {
  for (const std::string_view text :
       {"&#0;", "&#xD800;", "&#xDFFF;", "&#x110000;", "&#99999999999999999999;"}) {
    EXPECT_EQ(decoded(text), (Decoded{text.size(), "\xEF\xBF\xBD"})) << text;
  }
}

TEST(CharacterReference, IsNoneWithoutDigitsOrName) {
  for (const std::string_view text : {"&", "&;", "&#", "&#;", "&#x;", "&#xg", "& amp;", "&foo;"}) {
    EXPECT_EQ(decoded(text), (Decoded{0, ""})) << text;
  }
}

TEST(CharacterReference, IsStricterInAttributes) {
  EXPECT_EQ(decoded("&copy=1"), (Decoded{5, "\xC2\xA9"}));
  EXPECT_EQ(decoded("&copy=1", ReferencePlace::kAttribute), (Decoded{0, ""}));
  EXPECT_EQ(decoded("&copyx", ReferencePlace::kAttribute), (Decoded{0, ""}));
  EXPECT_EQ(decoded("&copy;=1", ReferencePlace::kAttribute), (Decoded{6, "\xC2\xA9"}));
  EXPECT_EQ(decoded("&copy&", ReferencePlace::kAttribute), (Decoded{5, "\xC2\xA9"}));
  EXPECT_EQ(decoded("&copy", ReferencePlace::kAttribute), (Decoded{5, "\xC2\xA9"}));
}

std::string attribute_value(std::string_view raw_value) {
  std::string buffer;
  return std::string(decode_attribute_value(raw_value, buffer));
}

TEST(CharacterReference, DecodesWholeAttributeValues) {
  EXPECT_EQ(attribute_value("/a?b=1&amp;c=2&d=3&copy=4&#38;e"), "/a?b=1&c=2&d=3&copy=4&e");
  EXPECT_EQ(attribute_value(std::string_view("a\0&", 3)), "a\xEF\xBF\xBD&");
  EXPECT_EQ(attribute_value(""), "");
}

}  // namespace
}  // namespace fantail
