#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "worker/html/tokenizer.h"

namespace fantail {
namespace {

// Writes what it is told as one line: "<a href=x>text</a>" with neighbouring text joined.
class RecordingHandler : public TokenHandler {
 public:
  bool wants_attributes(std::string_view tag_name) override { return tag_name != "skipped"; }
  bool allows_cdata() override { return cdata_allowed; }
  ContentModel on_start_tag(const StartTag& tag) override {
    record += "<" + std::string(tag.name);
    std::string buffer;
    for (const Attribute& attribute : tag.attributes) {
      record.append(" ").append(attribute.name).append("=").append(attribute.value(buffer));
    }
    record += tag.self_closing ? "/>" : ">";
    ++tags;
    if (tag.name == "title") return ContentModel::kRcdata;
    if (tag.name == "style") return ContentModel::kRawtext;
    if (tag.name == "script") return ContentModel::kScriptData;
    if (tag.name == "plaintext") return ContentModel::kPlaintext;
    return ContentModel::kData;
  }
  void on_end_tag(std::string_view name) override { record += "</" + std::string(name) + ">"; }
  void on_characters(std::string_view text) override { record += text; }
  void on_comment(std::string_view text) override { record += "<!--" + std::string(text) + "-->"; }
  void on_doctype(const Doctype& doctype) override {
    record += "<!" + doctype.name.value_or("?") + (doctype.force_quirks ? " quirks>" : ">");
  }

  bool cdata_allowed = false;
  std::size_t tags = 0;
  std::string record;
};

std::string tokens_of(std::string_view html, bool cdata_allowed = false) {
  RecordingHandler handler;
  handler.cdata_allowed = cdata_allowed;
  Tokenizer tokenizer(handler);
  tokenizer.feed(html);
  tokenizer.finish();
  return handler.record;
}

constexpr std::string_view kEverything =
    "\xEF\xBB\xBF<!DOCTYPE html PUBLIC \"a\">\r\n<html lang=en>\r\r\n<title>a &amp; b&#x20AC;</TITLE >"
    "<script>if (a < b) { '<!-- <script> </script> -->' }</script><style>p { }</styl</style>"
    "<p class='x y' CLASS=\"z\" data-a=\"1&lt2&copy;&copy=3\" empty hidden=''>caf\xC3\xA9 &notit; &notin; "
    "&#0;&#1234567890;"
    "&#00000000000065;&amp &ampx &unknown; &; &# &#x a<b </ b><br/><!--a--b-!>c--!d--!><!-->x<!--->y<!---z-->"
    "<?php echo ?></ bogus><![CDATA[a]]b]]]>c<a b=c/d='e'f>x</p "
    "foo=bar/><plaintext>a&amp;b</plaintext>\r\nend";

TEST(HtmlTokenizer, YieldsTheSameTokensWhereverTheTextIsCut) {
  for (const bool cdata_allowed : {false, true}) {
    const std::string whole = tokens_of(kEverything, cdata_allowed);
    for (std::size_t cut = 0; cut <= kEverything.size(); ++cut) {
      RecordingHandler handler;
      handler.cdata_allowed = cdata_allowed;
      Tokenizer tokenizer(handler);
      tokenizer.feed(kEverything.substr(0, cut));
      tokenizer.feed(kEverything.substr(cut));
      tokenizer.finish();
      ASSERT_EQ(handler.record, whole) << "cut at byte " << cut;
    }
  }
}

TEST(HtmlTokenizer, YieldsTheSameTokensByteByByteOfEveryBeginning) {
  for (std::size_t size = 0; size <= kEverything.size(); ++size) {
    const std::string_view beginning = kEverything.substr(0, size);
    RecordingHandler handler;
    Tokenizer tokenizer(handler);
    for (const char& byte : beginning)
      tokenizer.feed({&byte, 1});
    tokenizer.finish();
    ASSERT_EQ(handler.record, tokens_of(beginning)) << "the first " << size << " bytes";
  }
}

TEST(HtmlTokenizer, ReadsTagsTextAndComments) {
  EXPECT_EQ(tokens_of("<!doctype HTML><P ID=a Class='b'>x<BR/></p>y<!--z-->"),
            "<!html><p id=a class=b>x<br/></p>y<!--z-->");
}

TEST(HtmlTokenizer, MakesEveryLineEndALineFeed) {
  EXPECT_EQ(tokens_of("a\r\nb\rc\n\r\r\nd\r"), "a\nb\nc\n\n\nd\n");
  EXPECT_EQ(tokens_of("<p a='1\r\n2\r3'><!--x\r\ny-->"), "<p a=1\n2\n3><!--x\ny-->");
}

TEST(HtmlTokenizer, SwitchesContentModelAsTheHandlerSays) {
  EXPECT_EQ(tokens_of("<title><b>&lt;</b></title><b>"), "<title><b><</b></title><b>");
  EXPECT_EQ(tokens_of("<style>&lt;<b></style>&lt;"), "<style>&lt;<b></style><");
  EXPECT_EQ(tokens_of("<script>a</style></script >b"), "<script>a</style></script>b");
  EXPECT_EQ(tokens_of("<plaintext></plaintext>&lt;"), "<plaintext></plaintext>&lt;");
}

TEST(HtmlTokenizer, KeepsAnEscapedScriptTogether) {
  EXPECT_EQ(tokens_of("<script><!--<script></script>--></script>x"),
            "<script><!--<script></script>--></script>x");
  EXPECT_EQ(tokens_of("<script><!--</script>x"), "<script><!--</script>x");
  // The escape ends with the comment, and the element with its end tag, not with the page.
  RecordingHandler handler;
  Tokenizer tokenizer(handler);
  tokenizer.feed("<script><!--<script>--></script><i>");
  EXPECT_EQ(handler.tags, 2U);
}

TEST(HtmlTokenizer, AsksWhetherCdataIsAllowed) {
  EXPECT_EQ(tokens_of("<![CDATA[a<b>]]>c", true), "a<b>c");
  EXPECT_EQ(tokens_of("<![CDATA[a<b>]]>c", false), "<!--[CDATA[a<b-->]]>c");
}

TEST(HtmlTokenizer, KeepsTheFirstOfRepeatedAttributes) {
  EXPECT_EQ(tokens_of("<a href=1 HREF=2 name=3 href=4>"), "<a href=1 name=3>");
}

TEST(HtmlTokenizer, SkipsAttributesThatNobodyWants) {
  EXPECT_EQ(tokens_of("<skipped href='a>b' c=\"d\" e=f/>x"), "<skipped>x");
  EXPECT_EQ(tokens_of("<skipped href='a>b' />x"), "<skipped/>x");
}

TEST(HtmlTokenizer, FindsAttributesByName) {
  const std::vector<Attribute> attributes = {{"id", "a"}, {"href", "b&amp;c"}};
  const StartTag tag{"a", attributes, false};
  ASSERT_NE(tag.find("href"), nullptr);
  std::string buffer;
  EXPECT_EQ(tag.find("href")->value(buffer), "b&c");
  EXPECT_EQ(tag.find("name"), nullptr);
}

TEST(HtmlTokenizer, LeavesOutAttributesThatAreTooLong) {
  const std::string huge(10'000'000, 'x');
  EXPECT_EQ(tokens_of("<a data-x='" + huge + "' href=y>z"), "<a href=y>z");
  EXPECT_EQ(tokens_of("<a " + huge + "=1 href=y>z"), "<a href=y>z");
  const std::string fits(TagBuilder::kMaxBytes - 1, 'x');
  EXPECT_EQ(tokens_of("<a b=" + fits + " href=y>"), "<a b=" + fits + ">");
}

TEST(HtmlTokenizer, LeavesOutAttributesBeyondTheLimit) {
  std::string html = "<a";
  for (std::size_t i = 0; i < TagBuilder::kMaxAttributes + 10; ++i)
    html += " a" + std::to_string(i) + "=1";
  const std::string record = tokens_of(html + ">");
  EXPECT_NE(record.find(" a" + std::to_string(TagBuilder::kMaxAttributes - 1) + "=1>"), std::string::npos);
}

TEST(HtmlTokenizer, CutsLongNamesAndComments) {
  EXPECT_EQ(tokens_of("<" + std::string(1'000'000, 'a') + ">").size(), TagBuilder::kMaxNameSize + 2);
  EXPECT_EQ(tokens_of("<!--" + std::string(1'000'000, 'a') + "-->x").size(), Tokenizer::kMaxStoredBytes + 8);
  EXPECT_EQ(tokens_of("<!--" + std::string(1'000'000, 'a')).size(), Tokenizer::kMaxStoredBytes + 7);
  EXPECT_EQ(tokens_of("<!doctype " + std::string(1'000'000, 'a') + ">x").back(), 'x');
}

TEST(HtmlTokenizer, ReadsNumbersOfAnyLength) {
  const std::string zeros(100'000, '0');
  EXPECT_EQ(tokens_of("&#" + zeros + "65;&#x" + zeros + "41;"), "AA");
  EXPECT_EQ(tokens_of("&#" + std::string(100'000, '9') + ";x"), "\xEF\xBF\xBDx");
}

// Repeats a piece up to `size` bytes.
std::string filled_with(std::string_view piece, std::size_t size) {
  std::string text;
  while (text.size() < size)
    text += piece;
  return text;
}

std::chrono::duration<double> time_to_read(const std::string& html) {
  RecordingHandler handler;
  handler.record.reserve(2 * html.size());
  Tokenizer tokenizer(handler);
  const auto start = std::chrono::steady_clock::now();
  tokenizer.feed(html);
  tokenizer.finish();
  return std::chrono::steady_clock::now() - start;
}

TEST(HtmlTokenizer, ReadsHostileTextInLinearTime) {
  // Four times the text may take four times as long; quadratic growth would be sixteen times, and minutes in
  // the end.
  for (const std::string_view piece : {"&",
                                       "&#",
                                       "<",
                                       "</",
                                       "<!",
                                       "<!-",
                                       "<!--",
                                       "-",
                                       "]",
                                       "\r",
                                       "<a ",
                                       "<a b",
                                       "<a b='",
                                       "=",
                                       "<title>",
                                       "</title",
                                       "<script><!--",
                                       "<plaintext>",
                                       "<![CDATA[",
                                       "<!doctype ",
                                       "&ampx",
                                       "CounterClockwiseContourIntegra"}) {
    const std::chrono::duration<double> elapsed = time_to_read(filled_with(piece, 2'000'000));
    EXPECT_LT(elapsed, std::chrono::seconds(5)) << piece;
  }
}

}  // namespace
}  // namespace fantail
