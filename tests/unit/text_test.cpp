#include "sink/writers/text.h"

#include <gtest/gtest.h>

#include <random>

namespace fantail {
namespace {

TEST(Text, KnowsValidUtf8) {
  for (const char* valid :
       {"", "plain", "\x7F", "é", "€", "😀", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_valid_utf8(valid)) << valid;
  EXPECT_TRUE(is_valid_utf8(std::string_view("\0", 1)));
}

TEST(Text, KnowsInvalidUtf8) {
  for (const char* invalid :
       {"\x80", "abcdefgh\xFF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xE2\x28\xA1"})
    EXPECT_FALSE(is_valid_utf8(invalid)) << testing::PrintToString(invalid);
}

TEST(Text, FindsTheInvalidByteWhereverItStands) {
  for (std::size_t place = 0; place < 40; ++place) {
    std::string text(40, 'a');
    text[place] = '\x9F';
    EXPECT_FALSE(is_valid_utf8(text)) << place;
  }
}

TEST(Text, EscapesInvalidBytesOnly) {
  bool altered = false;
  EXPECT_EQ(escape_invalid_utf8("é\n\\x41", &altered), "é\n\\x41");
  EXPECT_FALSE(altered);
  EXPECT_EQ(escape_invalid_utf8("caf\xE9.txt", &altered), "caf\\xe9.txt");
  EXPECT_TRUE(altered);
  EXPECT_EQ(escape_invalid_utf8("\xE2\x82", &altered), "\\xe2\\x82");
}

TEST(Text, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(escape_control("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(escape_control("\x1b[31mred\x1b[0m\a\x7F"), "\\x1b[31mred\\x1b[0m\\x07\\x7f");
  EXPECT_EQ(escape_control(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(escape_control("\u202Egnp.exe\u2066\u200F\u061C"), "\\u202egnp.exe\\u2066\\u200f\\u061c");
  EXPECT_EQ(escape_control("\xC2\x9B"
                           "2J"),
            "\\u009b2J");
  EXPECT_EQ(escape_control("\x9B"
                           "2J"),
            "\\x9b2J");
  EXPECT_EQ(escape_control("\u2028"), "\\u2028");
  EXPECT_EQ(escape_control("größe 漢字 😀"), "größe 漢字 😀");
}

TEST(Text, EscapesWhatIsNotAscii) {
  EXPECT_EQ(escape_non_ascii("a é 漢 😀 \xFF"), "a \\u00e9 \\u6f22 \\U0001f600 \\xff");
}

TEST(Text, MeasuresColumns) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("größe"), 5u);
  EXPECT_EQ(display_width("漢字"), 4u);
  EXPECT_EQ(display_width("😀"), 2u);
  EXPECT_EQ(display_width("e\u0301"), 1u);
  EXPECT_EQ(display_width("ｆｕｌｌ"), 8u);
  EXPECT_EQ(display_width("한글"), 4u);
  EXPECT_EQ(display_width("\u200D\uFE0F"), 0u);
  EXPECT_EQ(display_width("…✓✗█░"), 5u);
  EXPECT_EQ(display_width("\U00020000\U000E0100"), 2u);
}

TEST(Text, CutsTheEnd) {
  EXPECT_EQ(truncate_end("abcdef", 6, "…"), "abcdef");
  EXPECT_EQ(truncate_end("abcdef", 5, "…"), "abcd…");
  EXPECT_EQ(truncate_end("abcdef", 5, "..."), "ab...");
  EXPECT_EQ(truncate_end("abcdef", 2, "..."), "..");
  EXPECT_EQ(truncate_end("abcdef", 0, "…"), "");
  EXPECT_EQ(truncate_end("漢字漢字", 6, "…"), "漢字…");
  EXPECT_EQ(truncate_end("e\u0301e\u0301e\u0301", 2, "…"), "e\u0301…");
}

TEST(Text, CutsTheMiddle) {
  EXPECT_EQ(truncate_middle("abcdefgh", 8, "…"), "abcdefgh");
  EXPECT_EQ(truncate_middle("abcdefgh", 6, "…"), "ab…fgh");
  EXPECT_EQ(truncate_middle("abcdefgh", 7, "..."), "ab...gh");
  EXPECT_EQ(truncate_middle("漢字漢字漢", 6, "…"), "漢…漢");
  EXPECT_EQ(truncate_middle("abcde\u0301f", 4, "…"), "a…e\u0301f");
  EXPECT_EQ(truncate_middle("abcdefgh", 1, "…"), "…");
}

TEST(Text, NeverCutsToMoreThanTheWidth) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string_view pieces[] = {"a", "é", "漢", "😀", "\u0301", "\u200D", "\xFF", "ｆ"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto count = random() % 30; count > 0; --count)
      text += pieces[random() % std::size(pieces)];
    const std::size_t width = random() % 30;
    EXPECT_LE(display_width(truncate_end(text, width, "…")), width) << text;
    EXPECT_LE(display_width(truncate_middle(text, width, "...")), width) << text;
  }
}

TEST(Text, Pads) {
  EXPECT_EQ(pad_right("漢", 4), "漢  ");
  EXPECT_EQ(pad_left("é", 3), "  é");
  EXPECT_EQ(pad_left("long", 2), "long");
}

TEST(Text, EncodesBase64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFF\xFE\xFB"), "//77");
}

}  // namespace
}  // namespace fantail
