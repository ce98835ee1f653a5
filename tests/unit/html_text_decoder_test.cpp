#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "worker/html/text_decoder.h"
#include "worker/html/utf8.h"

namespace fantail {
namespace {

std::string decoded(std::string_view label, std::string_view bytes,
                    std::size_t piece_size = TextDecoder::kMaxPieceSize) {
  TextDecoder decoder(*find_encoding(label));
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += piece_size)
    text += decoder.decode(bytes.substr(i, piece_size));
  text += decoder.finish();
  return text;
}

TEST(TextDecoder, DecodesWhatTheLabelSays) {
  EXPECT_EQ(decoded("iso-8859-1", "gr\xFC\xDF \x80"), "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC");
  EXPECT_EQ(decoded("koi8-r", "\xD0\xD2\xC9\xD7\xC5\xD4"),
            "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82");
  EXPECT_EQ(decoded("shift_jis", "\x93\xFA\x96\x7B"), "\xE6\x97\xA5\xE6\x9C\xAC");
  EXPECT_EQ(decoded("euc-jp", "\xC6\xFC\xCB\xDC"), "\xE6\x97\xA5\xE6\x9C\xAC");
  EXPECT_EQ(decoded("iso-2022-jp", "\x1B$BF|K\\\x1B(Ba"),
            "\xE6\x97\xA5\xE6\x9C\xAC"
            "a");
  EXPECT_EQ(decoded("gb2312", "\xC4\xE3\xBA\xC3"), "\xE4\xBD\xA0\xE5\xA5\xBD");
  EXPECT_EQ(decoded("big5", "\xA7\x41\xA6\x6E"), "\xE4\xBD\xA0\xE5\xA5\xBD");
  EXPECT_EQ(decoded("euc-kr", "\xC7\xD1\xB1\xDB"), "\xED\x95\x9C\xEA\xB8\x80");
  EXPECT_EQ(decoded("utf-16le", std::string_view("a\0\x3D\xD8\0\xDE", 6)), "a\xF0\x9F\x98\x80");
  EXPECT_EQ(decoded("utf-16be", std::string_view("\0a\xD8\x3D\xDE\0", 6)), "a\xF0\x9F\x98\x80");
}

TEST(TextDecoder, HasAConverterForEveryEncoding) {
  for (const std::string_view label : {"866",    "l2",          "l3",
                                       "l4",     "cyrillic",    "arabic",
                                       "greek",  "hebrew",      "logical",
                                       "l6",     "iso-8859-13", "iso-8859-14",
                                       "l9",     "iso-8859-16", "koi8-u",
                                       "mac",    "tis-620",     "cp1250",
                                       "cp1251", "cp1252",      "cp1253",
                                       "cp1254", "cp1255",      "cp1256",
                                       "cp1257", "cp1258",      "x-mac-cyrillic",
                                       "gbk",    "gb18030"}) {
    // A decoder that could not open its converter would pass the bytes through.
    const std::string text = decoded(label, "a\xE4\xE4 b");
    EXPECT_EQ(text.front(), 'a') << label;
    EXPECT_EQ(text.find('\xE4'), std::string::npos) << label;
  }
}

TEST(TextDecoder, DecodesTheSameWhereverTheBytesAreCut) {
  for (std::size_t size = 1; size < 8; ++size) {
    EXPECT_EQ(decoded("shift_jis", "\x93\xFA\x96\x7B<b>\x93\xFA", size),
              decoded("shift_jis", "\x93\xFA\x96\x7B<b>\x93\xFA"));
    EXPECT_EQ(decoded("utf-16le", std::string_view("a\0\x3D\xD8\0\xDE", 6), size), "a\xF0\x9F\x98\x80");
    EXPECT_EQ(decoded("iso-2022-jp", "\x1B$BF|K\\\x1B(Ba", size),
              "\xE6\x97\xA5\xE6\x9C\xAC"
              "a");
  }
}

TEST(TextDecoder, ReplacesMalformedBytesAndKeepsTheMarkup) {
  EXPECT_EQ(decoded("shift_jis", "\x81<b>"), "\xEF\xBF\xBD<b>");
  EXPECT_EQ(decoded("euc-kr", "a\xC7"), "a\xEF\xBF\xBD");
  EXPECT_EQ(decoded("utf-16le", std::string_view("\0\xD8"
                                                 "a\0b",
                                                 5)),
            "\xEF\xBF\xBD"
            "a\xEF\xBF\xBD");
  EXPECT_EQ(decoded("iso-8859-6", "\xA1"), "\xEF\xBF\xBD");
}

TEST(TextDecoder, ConvertsFullPiecesThatGrow) {
  const std::string bytes(TextDecoder::kMaxPieceSize, '\x80');
  EXPECT_EQ(decoded("windows-1252", bytes).size(), 3 * bytes.size());
}

TEST(TextDecoder, PassesUtf8Through) {
  EXPECT_EQ(decoded("utf-8", "a\xFF\xC3"), "a\xFF\xC3");
}

TEST(TextDecoder, HidesTextInEncodingsThatAreAttacks) {
  EXPECT_EQ(decoded("hz-gb-2312", "~{<script>", 3), "\xEF\xBF\xBD");
  EXPECT_EQ(decoded("hz-gb-2312", ""), "");
}

TEST(Utf8, EncodesEveryLength) {
  std::string text;
  for (const char32_t code_point : {U'a', U'\u00E9', U'\u20AC', U'\U0001F600'})
    append_utf8(code_point, text);
  EXPECT_EQ(text, "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST(Utf8, TruncatesBetweenCharacters) {
  EXPECT_EQ(truncate_utf8("a\xE2\x82\xAC", 4), "a\xE2\x82\xAC");
  EXPECT_EQ(truncate_utf8("a\xE2\x82\xAC", 3), "a");
  EXPECT_EQ(truncate_utf8("a\xE2\x82\xAC", 1), "a");
  EXPECT_EQ(truncate_utf8("\xE2\x82\xAC", 2), "");
}

TEST(Utf8, RecognisesTheBeginningOfUtf8) {
  for (const std::string_view bytes : {"", "a", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "a\xC3\xA9\xF0"}) {
    EXPECT_TRUE(is_utf8_beginning(bytes)) << bytes;
  }
  for (const std::string_view bytes : {"\xFF", "\x80",
                                       "\xC3"
                                       "a",
                                       "\xE2\x82"
                                       "a",
                                       "a\xC0\x80", "\xED\xA0\x80"}) {
    EXPECT_FALSE(is_utf8_beginning(bytes)) << bytes;
  }
}

}  // namespace
}  // namespace fantail
