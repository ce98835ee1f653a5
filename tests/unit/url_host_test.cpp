#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/url/host.h"
#include "pipeline/url/ip_address.h"
#include "pipeline/url/percent.h"
#include "pipeline/url/utf8.h"

namespace fantail {
namespace {

std::string domain_of(std::string_view text) {
  return parse_host(text, HostKind::kDomain).value_or("failure");
}
std::string opaque_of(std::string_view text) {
  return parse_host(text, HostKind::kOpaque).value_or("failure");
}

TEST(UrlHost, LowercasesAndDecodesNames) {
  EXPECT_EQ(domain_of("EXAMPLE.Com"), "example.com");
  EXPECT_EQ(domain_of("ex%61mple%2Ecom"), "example.com");
  EXPECT_EQ(domain_of("a_b-.c..d."), "a_b-.c..d.");
}

TEST(UrlHost, WritesEveryScriptInAscii) {
  EXPECT_EQ(domain_of("b\xC3\xBC"
                      "cher.example"),
            "xn--bcher-kva.example");
  EXPECT_EQ(domain_of("B%C3%9C"
                      "CHER.example"),
            "xn--bcher-kva.example");
  EXPECT_EQ(domain_of("fa\xC3\x9F.de"), "xn--fa-hia.de");
  EXPECT_EQ(domain_of("\xE2\x93\x9B\xE2\x93\x9E\xE2\x93\x92\xE2\x93\x90\xE2\x93\x9B"), "local");
  // Full-width digits and the ideographic full stop are an address too.
  EXPECT_EQ(domain_of("\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97\xE3\x80\x82"
                      "1"),
            "127.0.0.1");
}

TEST(UrlHost, ToleratesHyphensAndLengthsInEveryScript) {
  EXPECT_EQ(domain_of("-\xC3\xA9-"), "xn-----bja");
  EXPECT_EQ(domain_of("\xC3\xA9..a"), "xn--9ca..a");
  const std::string long_label(300, 'a');
  EXPECT_EQ(domain_of("\xC3\xA9." + long_label), "xn--9ca." + long_label);
}

TEST(UrlHost, LeavesAsciiPunycodeUnchecked) {
  EXPECT_EQ(domain_of("XN--BCHER-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(domain_of("xn--"), "xn--");
  EXPECT_EQ(domain_of("xn--pokxncvks"), "xn--pokxncvks");
  EXPECT_EQ(domain_of("xn--pokxncvks.\xC3\xA9"), "failure");
}

TEST(UrlHost, RefusesForbiddenAndEmptyNames) {
  for (const char c : std::string_view("\0 #/:<>?@[\\]^|%\x01\x7F", 17)) {
    EXPECT_EQ(domain_of(std::string("a") + c + "b"), "failure") << static_cast<int>(c);
  }
  EXPECT_EQ(domain_of("a%00b"), "failure");
  EXPECT_EQ(domain_of("a%2Fb"), "failure");
  EXPECT_EQ(domain_of("\xC2\xAD"), "failure");  // a soft hyphen alone: nothing is left
  EXPECT_EQ(domain_of("a\xEF\xBF\xBD"), "failure");
  EXPECT_EQ(domain_of("a\xE2\x80\x8D"
                      "b"),
            "failure");  // a zero width joiner out of place
}

TEST(UrlHost, BoundsTheWorkForInternationalNames) {
  std::string name;
  for (int i = 0; i < 500'000; ++i)
    name += "\xC3\xA9";
  EXPECT_EQ(domain_of(name), "failure");
  EXPECT_EQ(domain_of(std::string(500'000, 'a')), std::string(500'000, 'a'));
}

TEST(UrlHost, KeepsOpaqueHostsAsTheyAre) {
  EXPECT_EQ(opaque_of("ExAmple%41"), "ExAmple%41");
  EXPECT_EQ(opaque_of("b\xC3\xBC\x7F"), "b%C3%BC%7F");
  EXPECT_EQ(opaque_of("127.1"), "127.1");
  EXPECT_EQ(opaque_of("[0::1]"), "[::1]");
  for (const char c : std::string_view("\0\t\n\r #/:<>?@[\\]^|", 17)) {
    EXPECT_EQ(opaque_of(std::string("a") + c), "failure") << static_cast<int>(c);
  }
}

TEST(UrlHost, ReadsAllFormsOfIpv4) {
  for (const char* text : {"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f.1", "0X7F000001",
                           "017700000001", "127.0.0.1.", "127.0x.0.1", "00000000000000000000177.1"}) {
    EXPECT_EQ(domain_of(text), "127.0.0.1") << text;
  }
  EXPECT_EQ(domain_of("4294967295"), "255.255.255.255");
  EXPECT_EQ(domain_of("0"), "0.0.0.0");
}

TEST(UrlHost, RefusesNamesThatEndInBadNumbers) {
  for (const char* text :
       {"256.1.1.1", "1.1.1.256", "1.2.3.4.5", "4294967296", "1.16777216", "1..1", "a.1", "08", "1.2.3.09",
        "a.0x", "0x100000000", "1.2.3.4..5", "99999999999999999999999999"}) {
    EXPECT_EQ(domain_of(text), "failure") << text;
  }
  for (const char* text : {"1.a", "1.2.3.4a", "0xg", "1..", "a.1b"})
    EXPECT_EQ(domain_of(text), text);
}

TEST(UrlHost, WritesIpv6InItsShortestForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[::]", "[::]"},
      {"[1::]", "[1::]"},
      {"[::1]", "[::1]"},
      {"[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7:8]"},
      {"[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7:0]"},
      {"[0:0:1:0:0:0:1:0]", "[0:0:1::1:0]"},
      {"[1:0:0:2:0:0:3:4]", "[1::2:0:0:3:4]"},
      {"[2001:0DB8::00Ff]", "[2001:db8::ff]"},
      {"[::127.0.0.1]", "[::7f00:1]"},
      {"[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5:6:102:304]"},
      {"[1::2:1.2.3.4]", "[1::2:102:304]"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(domain_of(text), expected) << text;
}

TEST(UrlHost, RefusesBrokenIpv6) {
  for (const char* text : {"[",
                           "[]",
                           "[::1",
                           "[:]",
                           "[:1]",
                           "[1]",
                           "[1:2:3:4:5:6:7]",
                           "[1:2:3:4:5:6:7:8:9]",
                           "[1:2:3:4:5:6:7:8::]",
                           "[::1::]",
                           "[:::]",
                           "[1:::2]",
                           "[12345::]",
                           "[g::]",
                           "[1:]",
                           "[::1:]",
                           "[::1%25eth0]",
                           "[::1.2.3]",
                           "[::1.2.3.4.5]",
                           "[::1.2.3.256]",
                           "[::01.2.3.4]",
                           "[::.1.2.3]",
                           "[::1.2.3.4:1]",
                           "[1:2:3:4:5:6:7:1.2.3.4]",
                           "[::a.2.3.4]",
                           "[::1..2.3]",
                           "[::1.2.3.4.]"}) {
    EXPECT_EQ(domain_of(text), "failure") << text;
  }
}

TEST(UrlPercent, DecodesOnlyCompletePairs) {
  EXPECT_EQ(percent_decode("%41%4a%4A%"), "AJJ%");
  EXPECT_EQ(percent_decode("%4%zz%%41%4"), "%4%zz%A%4");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
}

TEST(UrlUtf8, ReplacesEachMaximalInvalidPiece) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(to_valid_utf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(to_valid_utf8("\x80\xFF"), r + r);
  EXPECT_EQ(to_valid_utf8("\xC0\xAF"), r + r);                  // overlong
  EXPECT_EQ(to_valid_utf8("\xE0\x80\xAF"), r + r + r);          // overlong
  EXPECT_EQ(to_valid_utf8("\xED\xA0\x80"), r + r + r);          // surrogate
  EXPECT_EQ(to_valid_utf8("\xF4\x90\x80\x80"), r + r + r + r);  // above U+10FFFF
  EXPECT_EQ(to_valid_utf8("\xE2\x82"
                          "a"),
            r + "a");  // cut short
  EXPECT_EQ(to_valid_utf8("\xF0\x9F\x98"), r);
}

}  // namespace
}  // namespace fantail
