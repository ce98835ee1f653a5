#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "worker/html/word_counter.h"

namespace fantail {
namespace {

std::uint64_t words_in(std::string_view text) {
  WordCounter counter;
  counter.count(text);
  counter.end_word();
  return counter.words();
}

TEST(WordCounter, CountsRunsOfOtherCharactersThanSpace) {
  EXPECT_EQ(words_in(""), 0U);
  EXPECT_EQ(words_in(" \t\n\v\f\r "), 0U);
  EXPECT_EQ(words_in("one"), 1U);
  EXPECT_EQ(words_in("  one two\n\nthree\tfour  "), 4U);
  EXPECT_EQ(words_in("it's e-mail, isn't it?"), 4U);
}

TEST(WordCounter, SplitsAtEveryUnicodeSpace) {
  for (const std::string_view space :
       {"\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x8A", "\xE2\x80\xA8",
        "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"}) {
    EXPECT_EQ(words_in("a" + std::string(space) + "b"), 2U);
    EXPECT_EQ(words_in(std::string(space) + std::string(space)), 0U);
  }
}

TEST(WordCounter, DoesNotSplitAtOtherCharacters) {
  for (const std::string_view other :
       {"\xC2\xA1", "\xE1\x9A\x81", "\xE2\x80\x8B", "\xE2\x80\x99", "\xE2\x81\xA0", "\xE3\x80\x81",
        "\xEF\xBB\xBF", "\x1C", "\xC3\xA9", "\xF0\x9F\x98\x80"}) {
    EXPECT_EQ(words_in("a" + std::string(other) + "b"), 1U);
    EXPECT_EQ(words_in(other), 1U);
  }
}

TEST(WordCounter, TakesMalformedBytesForLetters) {
  for (const std::string_view text : {"\xFF", "\xC2", "\xE2\x80", "a\xE2\x80", "\xE2\x80\xFF", "\x80\x80"}) {
    EXPECT_EQ(words_in(text), 1U);
  }
  EXPECT_EQ(words_in("\xC2 \xE2 \xE2\x80 \xE3"), 4U);
  EXPECT_EQ(words_in("\xE2\x80\xC2\xA0\xE2"), 2U);
}

TEST(WordCounter, EndsAWordWhenTold) {
  WordCounter counter;
  counter.count("one");
  counter.count("more");
  counter.end_word();
  counter.count("two");
  counter.end_word();
  counter.end_word();
  EXPECT_EQ(counter.words(), 2U);
}

TEST(WordCounter, CountsTheSameWhereverTheTextIsCut) {
  const std::string text =
      "The quick  brown\xC2\xA0"
      "fox\tjumps over\xE2\x80\x89the\xE2\x80\x99s lazy\r\ndog \xE3\x80\x80\xE3\x81\x82\xE2\x80 "
      "\xC2 and runs away into the long night of plain text\xE2\x80\xA8";
  const std::uint64_t whole = words_in(text);
  EXPECT_EQ(whole, 21U);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    for (std::size_t second = cut; second <= text.size(); ++second) {
      WordCounter counter;
      counter.count(std::string_view(text).substr(0, cut));
      counter.count(std::string_view(text).substr(cut, second - cut));
      counter.count(std::string_view(text).substr(second));
      counter.end_word();
      ASSERT_EQ(counter.words(), whole) << cut << ", " << second;
    }
  }
}

TEST(WordCounter, CountsBlocksAsItCountsBytes) {
  // Words of every length at every offset to the blocks that are counted at once.
  for (std::size_t length = 1; length < 40; ++length) {
    std::string text;
    for (std::size_t i = 0; i < 50; ++i)
      text += std::string(length, 'x') + std::string(1 + i % 3, i % 2 ? ' ' : '\n');
    EXPECT_EQ(words_in(text), 50U) << length;
  }
}

}  // namespace
}  // namespace fantail
