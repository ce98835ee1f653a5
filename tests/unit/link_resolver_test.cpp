#include "pipeline/url/link_resolver.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {
namespace {

std::string resolved(std::string_view href, std::string_view base) {
  std::string link;
  return LinkResolver(*parse_url(base)).resolve(href, link) ? link : "none";
}

std::string parsed_link(std::string_view href, std::string_view base) {
  const Url base_url = *parse_url(base);
  const std::optional<Url> url = parse_url(href, &base_url);
  return url && url->is_http() ? url->href_without_fragment() : "none";
}

constexpr std::string_view kBases[] = {
    "http://example.com/",
    "https://user:word@example.com:8080/a/b/c.html?q=1#f",
    "http://127.0.0.1:8080/a//b/",
    "https://[::1]/a/..b/%2e%2e/c",
    "file:///c:/a/b",
    "mailto:me@example.com",
    "https://example.com?only=query",
    "ftp://example.com/a/b",
};

TEST(LinkResolver, ResolvesPlainLinks) {
  constexpr std::string_view kBase = "https://example.com/a/b/c.html?q=1";
  EXPECT_EQ(resolved("d.html", kBase), "https://example.com/a/b/d.html");
  EXPECT_EQ(resolved("/d/e?f=g/../h", kBase), "https://example.com/d/e?f=g/../h");
  EXPECT_EQ(resolved("?d", kBase), "https://example.com/a/b/c.html?d");
  EXPECT_EQ(resolved("../../../d", kBase), "https://example.com/d");
  EXPECT_EQ(resolved("http://example.org", kBase), "http://example.org/");
  EXPECT_EQ(resolved("http://example.org/d", kBase), "http://example.org/d");
}

// Hrefs put together from pieces that matter to the parser come out as the parser has them, whatever the
// base.
TEST(LinkResolver, AgreesWithTheParser) {
  constexpr std::string_view kPieces[] = {
      "/",       "/",       "//",          "../",         "..",      ".",           "./",       "%2e",
      "%2E%2e/", "?",       "?q=a/b",      "a",           "b.html",  "c:",          ":",        "\\",
      " ",       "\t",      "\n",          "@",           "%",       "%20",         "\xC3\xBC", "\"",
      "'",       "`",       "{",           "|",           "^",       "http:",       "http://",  "https://",
      "https:",  "HTTP://", "example.com", "EXAMPLE.org", "127.1",   "0x7f.1",      ".com",     "-",
      ".",       "[::1]",   ":80",         ":443",        "mailto:", "javascript:", "data:",    "xn--a",
      "1",       "c|",
  };
  std::mt19937 random(20240229);
  std::uniform_int_distribution<std::size_t> piece(0, std::size(kPieces) - 1);
  std::uniform_int_distribution<int> count(0, 6);
  for (int i = 0; i < 20'000; ++i) {
    std::string href;
    for (int left = count(random); left > 0; --left)
      href += kPieces[piece(random)];
    for (const std::string_view base : kBases)
      ASSERT_EQ(resolved(href, base), parsed_link(href, base)) << "\"" << href << "\" at " << base;
  }
}

}  // namespace
}  // namespace fantail
