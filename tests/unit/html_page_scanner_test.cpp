#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/strings.h"
#include "worker/html/page_scanner.h"

namespace fantail {
namespace {

using Links = std::vector<std::string>;

const Url kUrl = *parse_url("https://example.com/dir/");

Page scanned(std::string_view html, std::string_view content_type = "text/html; charset=utf-8",
             std::size_t piece_size = 1 << 20) {
  PageScanner scanner(content_type, kUrl);
  for (std::size_t i = 0; i < html.size(); i += piece_size)
    scanner.feed(html.substr(i, piece_size));
  return scanner.finish();
}

std::uint64_t words(std::string_view html) {
  return scanned(html).words;
}
std::string title(std::string_view html) {
  return scanned(html).title;
}

TEST(PageScanner, ReadsAPage) {
  const Page page = scanned(
      "<!DOCTYPE html><html><head><title>Caf&eacute; &amp; Bar</title><base href=/b/><style>p { x "
      "}</style></head>"
      "<body><h1>Hello there</h1><p>General <b>Ken</b>obi<script>not these</script></p><a "
      "href=c?d&amp;e#f>go</a>"
      "<map><area href='//x.org'></map></body></html>");
  EXPECT_EQ(page.title, "Caf\xC3\xA9 & Bar");
  EXPECT_EQ(page.words, 6U);
  EXPECT_EQ(strings(page.links), (Links{"https://example.com/b/c?d&e", "https://x.org/"}));
}

TEST(PageScanner, ReadsTheSameWhereverThePageIsCut) {
  const std::string html =
      "<title>T&eacute;st \xE2\x82\xAC</title><p>one&nbsp;two\r\nthr\xC3\xA9\xC3\xA9 \xE2\x80\x89 four</p><a "
      "href='x&amp;y'>five";
  const Page whole = scanned(html, "");
  EXPECT_EQ(whole.words, 5U);
  for (std::size_t size = 1; size <= html.size(); ++size) {
    const Page page = scanned(html, "", size);
    EXPECT_EQ(page.title, whole.title) << size;
    EXPECT_EQ(page.words, whole.words) << size;
    EXPECT_EQ(strings(page.links), strings(whole.links)) << size;
  }
}

TEST(PageScanner, SurvivesAnEmptyPage) {
  const Page page = scanned("");
  EXPECT_EQ(page.title, "");
  EXPECT_EQ(page.words, 0U);
  EXPECT_TRUE(page.links.empty());
}

TEST(PageScanner, CollapsesWhiteSpaceInTheTitle) {
  EXPECT_EQ(title("<title>\n  A \t\r\n  long&#10; title  </title>"), "A long title");
  EXPECT_EQ(title("<title> </title>"), "");
}

TEST(PageScanner, TakesTheFirstTitleOfThePage) {
  EXPECT_EQ(title("<title>one</title><title>two</title>"), "one");
  EXPECT_EQ(title("<title></title><title>two</title>"), "");
  EXPECT_EQ(title("<body><p>x<title>late</title>"), "late");
  EXPECT_EQ(title("<title><b>no markup</b></title>"), "<b>no markup</b>");
}

TEST(PageScanner, IgnoresTitlesThatAreNotThePages) {
  EXPECT_EQ(title("<svg><title>icon</title></svg><title>page</title>"), "page");
  EXPECT_EQ(title("<math><title>formula</title></math><title>page</title>"), "page");
  EXPECT_EQ(title("<template><title>t</title></template><title>page</title>"), "page");
  EXPECT_EQ(title("<!--<title>c</title>--><title>page</title>"), "page");
  EXPECT_EQ(title("<script>'<title>s</title>'</script><title>page</title>"), "page");
}

TEST(PageScanner, CutsALongTitleBetweenCharacters) {
  const std::string euro = "\xE2\x82\xAC";
  std::string endless = "<title>";
  for (int i = 0; i < 100'000; ++i)
    endless += euro;
  const std::string cut = title(endless);
  EXPECT_EQ(cut.size(), PageContent::kMaxTitleBytes / 3 * 3);
  EXPECT_EQ(cut.substr(cut.size() - 3), euro);
  EXPECT_EQ(title("<title>" + std::string(1023, 'x') + " yy</title>"), std::string(1023, 'x'));
}

TEST(PageScanner, RepairsATitleThatIsNotUtf8) {
  EXPECT_EQ(title("<title>a\xFF"
                  "b\xC3</title>"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_LE(title("<title>" + std::string(5000, '\xFF')).size(), PageContent::kMaxTitleBytes);
}

TEST(PageScanner, EndsAWordAtEveryTag) {
  EXPECT_EQ(words("a<b>b</b>c"), 3U);
  EXPECT_EQ(words("a<br>b<img>c<unknown>d"), 4U);
  EXPECT_EQ(words("a<!-- x -->b&amp;c"), 1U);
}

TEST(PageScanner, SplitsWordsAtUnicodeWhiteSpace) {
  EXPECT_EQ(words("a&nbsp;b\xE3\x80\x80"
                  "c&#x2003;d"),
            4U);
  EXPECT_EQ(words("a&zwnj;b"), 1U);
}

TEST(PageScanner, CountsNoWordsInTheHead) {
  EXPECT_EQ(words("<head><title>a b</title><style>c</style><meta content='d e'></head><body>one"), 1U);
  EXPECT_EQ(words("<title>a b</title>one two"), 2U);
  EXPECT_EQ(words("<head><title>a</title><p>one two"), 2U);
  EXPECT_EQ(words("just text"), 2U);
}

TEST(PageScanner, CountsNoWordsInScriptStyleTemplateAndNoscript) {
  EXPECT_EQ(words("a<script>b c</script>d<style>e f</style>g"), 3U);
  EXPECT_EQ(words("a<noscript>b <p>c</p></noscript>d"), 2U);
  EXPECT_EQ(words("a<template>b<template>c</template>d</template>e"), 2U);
  EXPECT_EQ(words("a</template></noscript>b"), 2U);
}

TEST(PageScanner, CountsWordsInEverythingElse) {
  EXPECT_EQ(
      words(
          "<textarea>a <b> c</textarea><xmp><i></xmp><button>d</button><select><option>e<option>f</select>"),
      7U);
  EXPECT_EQ(words("a</body>b</html>c"), 3U);
}

TEST(PageScanner, CountsNoWordsInATitleWhereverItIs) {
  EXPECT_EQ(words("<p>a<title>b</title>c<title>d</title>"), 2U);
  EXPECT_EQ(words("a<svg><title>b <b>c</title></svg>d"), 3U);  // <b> ends the svg, and the title with it
  EXPECT_EQ(words("a<svg><title>b</title></svg>d"), 2U);
}

TEST(PageScanner, EndsANoscriptThatTheHeadLeftOpen) {
  EXPECT_EQ(words("<head><noscript><link></head><body>a b"), 2U);
  EXPECT_EQ(words("<head><noscript><link><body>a b"), 2U);
}

TEST(PageScanner, ReadsSvgAsBrowsersDo) {
  EXPECT_EQ(words("<svg><style>a<b/></style><script>c</script><text>one</text></svg>two"), 2U);
  EXPECT_EQ(words("<svg><style/><script/></svg>one two"), 2U);
  EXPECT_EQ(words("<svg><style>x</svg>one two"), 2U);
  EXPECT_EQ(words("<svg><![CDATA[<one two>]]></svg><![CDATA[not]]>"), 2U);
  EXPECT_EQ(words("<svg><foreignObject><style>a<b></style>one</foreignObject><style/>two</svg>"), 2U);
  EXPECT_EQ(words("<svg><style/><p>one<style>a<b></style>two"), 2U);
  EXPECT_EQ(words("<svg/><style>a<b></style>one"), 1U);
}

TEST(PageScanner, FindsLinksAsBrowsersDo) {
  const Page page = scanned(
      "<a href=1>x<A HREF='2'>y</a><a name=n>z</a><link href=3><area href=\" 4 \"><noscript><a "
      "href=5></noscript>"
      "<template><a href=6></template><!--<a href=7>--><script>'<a href=8>'</script><a href=9 "
      "href=10><svg><a href=11>");
  EXPECT_EQ(strings(page.links),
            (Links{"https://example.com/dir/1", "https://example.com/dir/2", "https://example.com/dir/4",
                   "https://example.com/dir/5", "https://example.com/dir/9", "https://example.com/dir/11"}));
}

TEST(PageScanner, TakesTheFirstBaseThatHasAnHref) {
  EXPECT_EQ(strings(scanned("<a href=a><base target=x><base href=/one/><base href=/two/>").links),
            (Links{"https://example.com/one/a"}));
  EXPECT_EQ(
      strings(scanned("<template><base href=/t/></template><svg><base href=/s/></svg><a href=a>").links),
      (Links{"https://example.com/dir/a"}));
}

TEST(PageScanner, DecodesThePageByItsHeaderItsMetaElementOrByGuess) {
  EXPECT_EQ(scanned("<title>gr\xFC\xDF</title>", "text/html; charset=iso-8859-1").title,
            "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(scanned("<meta charset=koi8-r><title>\xD0\xD2</title>", "text/html").title, "\xD0\xBF\xD1\x80");
  EXPECT_EQ(scanned("<title>gr\xFC\xDF</title>", "").title, "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(scanned("<title>gr\xC3\xBC\xC3\x9F</title>", "").title, "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(scanned("\xEF\xBB\xBF<title>\xC3\xBC</title>", "text/html; charset=iso-8859-1").title,
            "\xC3\xBC");
}

TEST(PageScanner, DecodesUtf16) {
  std::string html = "\xFF\xFE";
  for (const char byte : std::string_view("<title>a</title><p>one two<a href=b>"))
    html += {byte, '\0'};
  for (const std::size_t size : {1U, 3U, 1000U}) {
    const Page page = scanned(html, "", size);
    EXPECT_EQ(page.title, "a");
    EXPECT_EQ(page.words, 2U);
    EXPECT_EQ(strings(page.links), (Links{"https://example.com/dir/b"}));
  }
}

TEST(PageScanner, DoesNotCountTheByteOrderMark) {
  EXPECT_EQ(words("\xEF\xBB\xBF"), 0U);
}

TEST(PageScanner, DecodesLongPagesInOtherEncodings) {
  std::string html = "<meta charset=shift_jis>";
  for (int i = 0; i < 50'000; ++i)
    html += "\x93\xFA\x96\x7B ";
  EXPECT_EQ(scanned(html, "", 7).words, 50'000U);
}

std::string repeated(std::string_view piece, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += piece;
  return text;
}

TEST(PageScanner, ReadsHostilePagesInLinearTime) {
  const std::string long_text(10'000'000, 'x');
  const std::string pages[] = {
      repeated("<div>", 200'000) + "<a href=deep>",
      repeated("<svg><foreignObject>", 100'000),
      repeated("<template>", 200'000),
      repeated("<a href=x>", 200'000),
      "<a href='" + long_text + "'>",
      "<!--" + long_text,
      "<title>" + long_text,
      "<" + long_text,
      "&" + long_text,
      "<base href='/" + long_text.substr(0, 60'000) + "'>" + repeated("<a href=", 1) + "x>",
      repeated("&amp;", 1'000'000),
  };
  for (const std::string& page : pages) {
    const auto start = std::chrono::steady_clock::now();
    scanned(page);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << page.substr(0, 20);
  }
}

TEST(PageScanner, FindsTheLinkBelowManyOpenElements) {
  EXPECT_EQ(strings(scanned(repeated("<div>", 200'000) + "<a href=deep>").links),
            (Links{"https://example.com/dir/deep"}));
}

}  // namespace
}  // namespace fantail
