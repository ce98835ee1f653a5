#include "pipeline/url/url.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail {
namespace {

// The href of input, resolved against base unless that is empty; "failure" if either is not a URL.
std::string href_of(std::string_view input, std::string_view base = "") {
  const std::optional<Url> base_url = parse_url(base);
  if (!base.empty() && !base_url) return "failure";
  const std::optional<Url> url = parse_url(input, base_url ? &*base_url : nullptr);
  return url ? url->href() : "failure";
}

TEST(Url, SplitsEveryPart) {
  const std::optional<Url> url = parse_url("HTTP://Us%65r:p:w@Example.COM:8080/a/b?q=1&r#top?");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "http");
  EXPECT_EQ(url->username, "Us%65r");
  EXPECT_EQ(url->password, "p%3Aw");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->path, "/a/b");
  EXPECT_FALSE(url->has_opaque_path);
  EXPECT_EQ(url->query, "q=1&r");
  EXPECT_EQ(url->fragment, "top?");
}

TEST(Url, WritesFragmentOnlyIntoHref) {
  const std::optional<Url> url = parse_url("http://u:p@h:1/x?y#z");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->href(), "http://u:p@h:1/x?y#z");
  EXPECT_EQ(url->href_without_fragment(), "http://u:p@h:1/x?y");
}

TEST(Url, TellsEmptyQueryFromNone) {
  EXPECT_EQ(href_of("http://h/?"), "http://h/?");
  EXPECT_EQ(href_of("http://h/#"), "http://h/#");
  EXPECT_EQ(href_of("http://h"), "http://h/");
  EXPECT_EQ(parse_url("http://h/?")->query, "");
  EXPECT_FALSE(parse_url("http://h/")->query);
}

TEST(Url, KnowsDefaultPorts) {
  EXPECT_EQ(parse_url("https://example.com:443/")->port, std::nullopt);
  EXPECT_EQ(parse_url("https://example.com:/")->port, std::nullopt);
  EXPECT_EQ(parse_url("https://example.com:80/")->port, 80);
  EXPECT_EQ(parse_url("http://example.com:0000080/")->port, std::nullopt);
  EXPECT_EQ(parse_url("http://example.com:0/")->port, 0);
  EXPECT_EQ(href_of("http://example.com:65536/"), "failure");
  EXPECT_EQ(href_of("http://example.com:4294967376/"), "failure");
  EXPECT_EQ(href_of("http://example.com:8a/"), "failure");
}

TEST(Url, NamesHostAlwaysWithPort) {
  EXPECT_EQ(parse_url("https://EXAMPLE.com/a")->host_and_port(), "example.com:443");
  EXPECT_EQ(parse_url("http://example.com")->host_and_port(), "example.com:80");
  EXPECT_EQ(parse_url("http://[::1]:8080/")->host_and_port(), "[::1]:8080");
  EXPECT_EQ(parse_url("wss://h/")->effective_port(), 443);
  EXPECT_EQ(parse_url("ftp://h/")->effective_port(), 21);
  EXPECT_EQ(parse_url("file:///x")->effective_port(), 0);
  EXPECT_EQ(parse_url("mailto:x")->host_and_port(), ":0");
}

TEST(Url, IsHttpForTwoSchemesOnly) {
  EXPECT_TRUE(parse_url("http://h")->is_http());
  EXPECT_TRUE(parse_url("HTTPS://h")->is_http());
  EXPECT_FALSE(parse_url("ws://h")->is_http());
  EXPECT_FALSE(parse_url("httpx://h")->is_http());
}

TEST(Url, ResolvesReferencesAgainstBase) {
  // The examples of RFC 3986, section 5.4, that browsers agree with.
  constexpr std::string_view kBase = "http://a/b/c/d;p?q";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"%2e%2E/g", "http://a/b/g"},
      {".%2e", "http://a/b/"},
      {"http:g", "http://a/b/c/g"},
      {"https:g", "https://g/"},
      {"\\g\\h", "http://a/g/h"},
      {"\\\\g", "http://g/"},
      {"///g", "http://g/"},
  };
  for (const auto& [input, expected] : cases)
    EXPECT_EQ(href_of(input, kBase), expected) << input;
}

TEST(Url, KeepsCredentialsAndPortOfBaseUntilHostChanges) {
  EXPECT_EQ(href_of("/x", "http://u:p@h:81/a"), "http://u:p@h:81/x");
  EXPECT_EQ(href_of("x", "http://u@h:81/a"), "http://u@h:81/x");
  EXPECT_EQ(href_of("//k/x", "http://u:p@h:81/a"), "http://k/x");
}

TEST(Url, NeedsBaseForRelativeReferences) {
  for (const char* input : {"", "g", "/g", "//g", "?y", "#s", "1a:b", ":a", "http", "http:"}) {
    EXPECT_EQ(href_of(input), "failure") << input;
  }
  EXPECT_EQ(href_of("#s", "mailto:me"), "mailto:me#s");
  EXPECT_EQ(href_of("#s", "data:a?b#c"), "data:a?b#s");
  EXPECT_EQ(href_of("g", "mailto:me"), "failure");
  EXPECT_EQ(href_of("", "mailto:me"), "failure");
}

TEST(Url, IgnoresSurroundingSpaceTabsAndLineEnds) {
  EXPECT_EQ(href_of(" \x01\f http://h/a \n"), "http://h/a");
  EXPECT_EQ(href_of("ht\ntp\t://h\r\n/a b"), "http://h/a%20b");
  EXPECT_EQ(href_of(std::string_view("\0http://h/\0", 11)), "http://h/");
}

TEST(Url, EncodesWhatEachPartForbids) {
  EXPECT_EQ(href_of("http://h/ \"#<>"), "http://h/%20%22#%3C%3E");
  EXPECT_EQ(href_of("http://h/`{}^|'%zz"), "http://h/%60%7B%7D%5E|'%zz");
  EXPECT_EQ(href_of("http://h/?`{}^|' x"), "http://h/?`{}^|%27%20x");
  EXPECT_EQ(href_of("sc://h/?'"), "sc://h/?'");
  EXPECT_EQ(href_of("http://h/#`{}' x"), "http://h/#%60{}'%20x");
  EXPECT_EQ(href_of("http://a@b:c/d@h/"), "failure");
  EXPECT_EQ(href_of("http://a@b@h/"), "http://a%40b@h/");
  EXPECT_EQ(href_of("http://:@h/"), "http://h/");
  EXPECT_EQ(href_of("http://:p@h/"), "http://:p@h/");
  EXPECT_EQ(href_of("http://h/\xC3\xA9?\xC3\xA9#\xC3\xA9"), "http://h/%C3%A9?%C3%A9#%C3%A9");
}

TEST(Url, ReadsInvalidUtf8AsReplacementCharacters) {
  EXPECT_EQ(href_of("http://h/\xFF\xC3"), "http://h/%EF%BF%BD%EF%BF%BD");
  EXPECT_EQ(href_of("http://h/\xF0\x9F\x98?"), "http://h/%EF%BF%BD?");
  EXPECT_EQ(href_of("http://\xFF/"), "failure");
  EXPECT_EQ(href_of("http://%FF/"), "failure");
  // The bytes are decoded before the tab between them disappears.
  EXPECT_EQ(href_of("http://h/\xC3\t\xA9"), "http://h/%EF%BF%BD%EF%BF%BD");
}

TEST(Url, RefusesEmptyHostsOfSpecialSchemes) {
  for (const char* input :
       {"http://", "http:///", "http://?q", "http://:80/", "http://u@/", "http://u@:80/"}) {
    EXPECT_EQ(href_of(input), "failure") << input;
  }
  EXPECT_EQ(href_of("sc://"), "sc://");
  EXPECT_EQ(href_of("sc:///p"), "sc:///p");
  EXPECT_EQ(href_of("sc://:80/"), "failure");
  EXPECT_EQ(href_of("sc://u@/"), "failure");
}

TEST(Url, KeepsOpaquePaths) {
  const std::optional<Url> url = parse_url("mailto:A b@\xC3\xA9  ?q");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->has_opaque_path);
  EXPECT_EQ(url->path, "A b@%C3%A9 %20");
  EXPECT_EQ(url->host, std::nullopt);
  EXPECT_EQ(href_of("javascript:alert('x')//"), "javascript:alert('x')//");
}

TEST(Url, ProtectsPathsThatLookLikeHosts) {
  EXPECT_EQ(href_of("web+demo:/.//not-a-host/"), "web+demo:/.//not-a-host/");
  EXPECT_EQ(href_of("web+demo:/a/..//b"), "web+demo:/.//b");
  EXPECT_EQ(parse_url("web+demo:/.//b")->path, "//b");
  EXPECT_EQ(href_of("sc:/a/../b"), "sc:/b");
}

TEST(Url, TreatsFilesAsWindowsDoes) {
  EXPECT_EQ(href_of("file:///etc/../x"), "file:///x");
  EXPECT_EQ(href_of("file:c|/a/../.."), "file:///c:/");
  EXPECT_EQ(href_of("file://c:/x"), "file:///c:/x");
  EXPECT_EQ(href_of("file://localhost/x"), "file:///x");
  EXPECT_EQ(href_of("file://server/x"), "file://server/x");
  EXPECT_EQ(href_of("file://a:80/"), "failure");
  EXPECT_EQ(href_of("/y", "file:///c:/x"), "file:///c:/y");
  EXPECT_EQ(href_of("d:/y", "file:///c:/x"), "d:/y");
  EXPECT_EQ(href_of("d|/y", "file:///c:/x/z"), "file:///d:/y");
  EXPECT_EQ(href_of("..", "file:///c:/"), "file:///c:/");
  EXPECT_EQ(href_of("?q", "file://s/x?p#f"), "file://s/x?q");
  EXPECT_EQ(href_of("", "file://s/x?p#f"), "file://s/x?p");
}

TEST(Url, EncodesComponentsKeepingOnlyUnreservedBytes) {
  EXPECT_EQ(percent_encode_component("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode_component("a b/c?d&e=f+g%"), "a%20b%2Fc%3Fd%26e%3Df%2Bg%25");
  EXPECT_EQ(percent_encode_component(std::string_view("\0\x7F\xFF\xC3\xA9", 5)), "%00%7F%FF%C3%A9");
  EXPECT_EQ(percent_encode_component(""), "");
}

// Strings of the pieces that matter to some state, with a fixed seed, so that a failure repeats.
std::string random_input(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {
      "http:", "file:",    "sc:", "//",        "/",    "\\",  "..", ".",    "%2e", "@",        ":",
      "?",     "#",        "[",   "]",         "::",   "1",   "0x", "80",   "c|",  "C:",       " ",
      "\t",    "\xC3\xA9", "a",   "b.c",       "\xFF", "%41", "%",  "xn--", "-",   "\xC2\xAD", "\xE3\x80\x82",
      "^",     "`",        "255", "localhost", "\x7F"};
  std::uniform_int_distribution<std::size_t> choose(0, kPieces.size() - 1);
  std::string input;
  for (std::size_t length = choose(random) % 12; length > 0; --length)
    input += kPieces[choose(random)];
  return input;
}

TEST(Url, ReadsBackWhateverItAccepts) {
  std::mt19937 random(20240229);
  int accepted = 0;
  std::optional<Url> base;
  for (int i = 0; i < 50'000; ++i) {
    const std::string input = random_input(random);
    const std::optional<Url> url = parse_url(input, base ? &*base : nullptr);
    if (!url) continue;
    ++accepted;
    const std::optional<Url> again = parse_url(url->href());
    ASSERT_TRUE(again) << testing::PrintToString(input) << " became " << url->href();
    ASSERT_EQ(again->href(), url->href()) << testing::PrintToString(input);
    ASSERT_EQ(again->host, url->host) << testing::PrintToString(input);
    ASSERT_EQ(again->path, url->path) << testing::PrintToString(input);
    base = again->href().size() < 100 ? again : std::nullopt;
  }
  EXPECT_GT(accepted, 10'000);
}

TEST(Url, SurvivesHugeInputs) {
  constexpr std::size_t kRepeats = 300'000;
  for (const std::string piece :
       {"/", "../", "a/", "@", ":", "[", "%", "%2e/", "1.", "0", "\t", "\xFF", "\xC3\xA9"}) {
    std::string input = "http://h/";
    for (const bool in_host : {false, true}) {
      if (in_host) input = "http://";
      for (std::size_t i = 0; i < kRepeats; ++i)
        input += piece;
      const std::optional<Url> url = parse_url(input);
      EXPECT_TRUE(in_host || url) << piece;
      EXPECT_LE(url ? url->href().size() : 0, input.size() * 9);
    }
  }
}

}  // namespace
}  // namespace fantail
