#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/strings.h"
#include "worker/html/link_collector.h"

namespace fantail {
namespace {

using Links = std::vector<std::string>;

const Url kPage = *parse_url("https://example.com/dir/page.html?q#f");

Links links_of(const std::vector<std::string>& hrefs, const std::vector<std::string>& bases = {}) {
  LinkCollector collector;
  for (const std::string& base : bases)
    collector.set_base(base);
  for (const std::string& href : hrefs)
    collector.add(href);
  return strings(collector.resolve(kPage));
}

TEST(LinkCollector, ResolvesAgainstThePage) {
  EXPECT_EQ(
      links_of({"a", "/b", "?c", "//other.org/d", "http://x.org", "../e"}),
      (Links{"https://example.com/dir/a", "https://example.com/b", "https://example.com/dir/page.html?c",
             "https://other.org/d", "http://x.org/", "https://example.com/e"}));
}

TEST(LinkCollector, KeepsEachLinkOnceInOrderOfFirstAppearance) {
  EXPECT_EQ(links_of({"b", "a", "b", "./a", "b#x", " b "}),
            (Links{"https://example.com/dir/b", "https://example.com/dir/a"}));
}

TEST(LinkCollector, DropsFragments) {
  EXPECT_EQ(links_of({"#top", "", "page.html?q#x"}), (Links{"https://example.com/dir/page.html?q"}));
}

TEST(LinkCollector, KeepsHttpAndHttpsOnly) {
  EXPECT_EQ(links_of({"mailto:a@b.c", "javascript:void(0)", "data:,x", "tel:1", "ftp://x.org/",
                      "java\nscript:x", "HTTP://X.org/"}),
            (Links{"http://x.org/"}));
}

TEST(LinkCollector, DropsWhatDoesNotParse) {
  EXPECT_EQ(links_of({"http://", "http://a b/", "https://[::1", "ok"}),
            (Links{"https://example.com/dir/ok"}));
}

TEST(LinkCollector, ResolvesAllLinksAgainstTheFirstBase) {
  EXPECT_EQ(links_of({"a"}, {"/base/", "/later/"}), (Links{"https://example.com/base/a"}));
  EXPECT_EQ(links_of({"a"}, {"http://other.org/x"}), (Links{"http://other.org/a"}));
  LinkCollector collector;
  collector.add("before");
  collector.set_base("sub/");
  EXPECT_EQ(strings(collector.resolve(kPage)), (Links{"https://example.com/dir/sub/before"}));
}

TEST(LinkCollector, FallsBackToThePageForAnUnusableBase) {
  EXPECT_EQ(links_of({"a"}, {"http://"}), (Links{"https://example.com/dir/a"}));
  EXPECT_EQ(links_of({"a"}, {"data:text/html,x"}), (Links{"https://example.com/dir/a"}));
  EXPECT_EQ(links_of({"a"}, {""}), (Links{"https://example.com/dir/a"}));
  // The first base counts even when it is of no use.
  EXPECT_EQ(links_of({"a"}, {"http://", "/later/"}), (Links{"https://example.com/dir/a"}));
}

TEST(LinkCollector, StopsAtTheLimitOfLinks) {
  LinkCollector collector;
  for (std::size_t i = 0; i < LinkCollector::kMaxLinks + 500; ++i) {
    collector.add("mailto:" + std::to_string(i));
    collector.add(std::to_string(i));
  }
  const Links links = strings(collector.resolve(kPage));
  EXPECT_EQ(links.size(), LinkCollector::kMaxLinks);
  EXPECT_EQ(links.back(), "https://example.com/dir/" + std::to_string(LinkCollector::kMaxLinks - 1));
}

TEST(LinkCollector, StopsAtTheLimitOfBytes) {
  const std::string href(60'000, 'x');
  LinkCollector collector;
  for (int i = 0; i < 200; ++i)
    collector.add(std::to_string(i) + href);
  EXPECT_LE(collector.resolve(kPage).size(), LinkCollector::kMaxBytes / href.size());

  LinkCollector based;
  based.set_base("/" + href + "/");
  for (int i = 0; i < 2000; ++i)
    based.add(std::to_string(i));
  EXPECT_LE(based.resolve(kPage).size(), LinkCollector::kMaxBytes / href.size());
}

TEST(LinkCollector, YieldsAsciiForAnyBytes) {
  for (const std::string& link : links_of({"\xFF\xC3", "gr\xC3\xBC\xC3\x9F", std::string("a\0b", 3)})) {
    for (const char byte : link)
      EXPECT_GT(byte, ' ');
  }
}

}  // namespace
}  // namespace fantail
