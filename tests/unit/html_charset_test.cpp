#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "worker/html/charset.h"
#include "worker/html/meta_prescan.h"

namespace fantail {
namespace {

std::string_view name_of(const Encoding* encoding) {
  return encoding == nullptr ? "none" : encoding->name;
}

TEST(Charset, KnowsTheLabelsOfTheStandard) {
  EXPECT_EQ(name_of(find_encoding("utf-8")), "UTF-8");
  EXPECT_EQ(name_of(find_encoding("UTF8")), "UTF-8");
  EXPECT_EQ(name_of(find_encoding("iso-8859-1")), "windows-1252");
  EXPECT_EQ(name_of(find_encoding("latin1")), "windows-1252");
  EXPECT_EQ(name_of(find_encoding("us-ascii")), "windows-1252");
  EXPECT_EQ(name_of(find_encoding("iso-8859-9")), "windows-1254");
  EXPECT_EQ(name_of(find_encoding("gb2312")), "GBK");
  EXPECT_EQ(name_of(find_encoding("sjis")), "Shift_JIS");
  EXPECT_EQ(name_of(find_encoding("ks_c_5601-1987")), "EUC-KR");
  EXPECT_EQ(name_of(find_encoding("utf-16")), "UTF-16LE");
  EXPECT_EQ(name_of(find_encoding("unicodefffe")), "UTF-16BE");
  EXPECT_EQ(name_of(find_encoding("hz-gb-2312")), "replacement");
  EXPECT_EQ(name_of(find_encoding("x-user-defined")), "windows-1252");
}

TEST(Charset, IgnoresSpaceAroundALabelOnly) {
  EXPECT_EQ(name_of(find_encoding("\t Koi8-R \n")), "KOI8-R");
  EXPECT_EQ(find_encoding("koi8 -r"), nullptr);
  EXPECT_EQ(find_encoding(""), nullptr);
  EXPECT_EQ(find_encoding("utf"), nullptr);
  EXPECT_EQ(find_encoding("utf-8 utf8"), nullptr);
  EXPECT_EQ(find_encoding(std::string(100'000, 'x')), nullptr);
}

TEST(Charset, ReadsTheContentTypeHeader) {
  EXPECT_EQ(name_of(encoding_of_content_type("text/html; charset=utf-8")), "UTF-8");
  EXPECT_EQ(name_of(encoding_of_content_type("text/html;CHARSET=\"windows-1251\"")), "windows-1251");
  EXPECT_EQ(name_of(encoding_of_content_type("text/html; a=\";charset=x\"; charset = 'big5' ; b=c")), "Big5");
  EXPECT_EQ(name_of(encoding_of_content_type("text/html; charset=utf-8; charset=big5")), "UTF-8");
  EXPECT_EQ(encoding_of_content_type("text/html"), nullptr);
  EXPECT_EQ(encoding_of_content_type("charset=utf-8"), nullptr);
  EXPECT_EQ(encoding_of_content_type("text/html; charset=klingon"), nullptr);
  EXPECT_EQ(encoding_of_content_type(""), nullptr);
  EXPECT_EQ(encoding_of_content_type(";;; charset; charset=\""), nullptr);
}

std::string_view prescanned(std::string_view bytes) {
  return name_of(prescan_for_encoding(bytes));
}

TEST(MetaPrescan, FindsACharsetAttribute) {
  EXPECT_EQ(prescanned("<meta charset=koi8-r>"), "KOI8-R");
  EXPECT_EQ(prescanned("<!doctype html><html><head><META\n CharSet = 'koi8-r' />"), "KOI8-R");
  EXPECT_EQ(prescanned("<meta/charset=koi8-r>"), "KOI8-R");
  EXPECT_EQ(prescanned("<p title='<x>'><meta name=a><meta charset=koi8-r>"), "KOI8-R");
}

TEST(MetaPrescan, FindsAContentTypePragma) {
  EXPECT_EQ(prescanned("<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>"), "KOI8-R");
  EXPECT_EQ(prescanned("<meta content=\"text/html; charset = 'koi8-r'\" http-equiv='content-type'>"),
            "KOI8-R");
  EXPECT_EQ(prescanned("<meta http-equiv=content-type content='charset charset=koi8-r;x'>"), "KOI8-R");
}

TEST(MetaPrescan, WantsThePragmaForAContentAttribute) {
  EXPECT_EQ(prescanned("<meta content='text/html; charset=koi8-r'>"), "none");
  EXPECT_EQ(prescanned("<meta http-equiv=refresh content='text/html; charset=koi8-r'>"), "none");
  EXPECT_EQ(prescanned("<meta http-equiv=content-type content='charset=\"koi8-r'>"), "none");
}

TEST(MetaPrescan, IgnoresWhatIsNoMetaElement) {
  EXPECT_EQ(prescanned("<!-- <meta charset=koi8-r> --><meta charset=big5>"), "Big5");
  EXPECT_EQ(prescanned("<!--><meta charset=big5>"), "Big5");
  EXPECT_EQ(prescanned("<p title='<meta charset=koi8-r>'>"), "none");
  EXPECT_EQ(prescanned("</p title='<meta charset=koi8-r>'>"), "none");
  EXPECT_EQ(prescanned("<?meta charset=koi8-r?>"), "none");
  EXPECT_EQ(prescanned("<metal charset=koi8-r>"), "none");
  EXPECT_EQ(prescanned("<meta-data charset=koi8-r>"), "none");
}

TEST(MetaPrescan, TakesTheFirstOfRepeatedAttributes) {
  EXPECT_EQ(prescanned("<meta charset=big5 charset=koi8-r>"), "Big5");
}

TEST(MetaPrescan, GoesOnAfterAnUnknownCharset) {
  EXPECT_EQ(prescanned("<meta charset=klingon><meta charset=big5>"), "Big5");
}

TEST(MetaPrescan, ReadsAnXmlDeclaration) {
  EXPECT_EQ(prescanned("<?xml version='1.0' encoding=\"koi8-r\"?><html>"), "KOI8-R");
  EXPECT_EQ(prescanned("<?xml version='1.0' encoding='koi8-r'?><meta charset=big5>"), "Big5");
  EXPECT_EQ(prescanned("<?xml version='1.0' encoding='koi8-r"), "none");
  EXPECT_EQ(prescanned(" <?xml encoding='koi8-r'?>"), "none");
}

TEST(MetaPrescan, SurvivesEveryBeginningOfADeclaration) {
  const std::string_view html =
      "<?xml encoding='big5'?><!----><!x></p a='b'><meta http-equiv=content-type content='charset=koi8-r'>";
  for (std::size_t size = 0; size < html.size(); ++size) {
    const std::string_view found = prescanned(html.substr(0, size));
    EXPECT_TRUE(found == "none" || found == "Big5") << size;
  }
  EXPECT_EQ(prescanned(html), "KOI8-R");
}

std::string_view detected(std::string_view bytes, std::string_view header) {
  return detect_encoding(bytes, header).encoding->name;
}

TEST(Charset, LetsTheByteOrderMarkWin) {
  EXPECT_EQ(detected("\xEF\xBB\xBF<meta charset=big5>", "text/html; charset=koi8-r"), "UTF-8");
  EXPECT_EQ(detect_encoding("\xEF\xBB\xBFx", "").byte_order_mark_size, 3U);
  EXPECT_EQ(detected("\xFF\xFEx", "text/html; charset=koi8-r"), "UTF-16LE");
  EXPECT_EQ(detected("\xFE\xFFx", ""), "UTF-16BE");
  EXPECT_EQ(detect_encoding("\xFE\xFFx", "").byte_order_mark_size, 2U);
}

TEST(Charset, LetsTheHeaderWinOverThePage) {
  EXPECT_EQ(detected("<meta charset=big5>", "text/html; charset=koi8-r"), "KOI8-R");
  EXPECT_EQ(detected("<meta charset=big5>", "text/html; charset=klingon"), "Big5");
  EXPECT_EQ(detect_encoding("<meta charset=big5>", "").byte_order_mark_size, 0U);
}

TEST(Charset, DoesNotBelieveAMetaElementThatClaimsUtf16) {
  EXPECT_EQ(detected("<meta charset=utf-16>", ""), "UTF-8");
  EXPECT_EQ(detected("<meta charset=utf-16be>\xE4", ""), "UTF-8");
  EXPECT_EQ(detected("<meta charset=x-user-defined>", ""), "windows-1252");
}

TEST(Charset, GuessesUtf8OrWindows1252) {
  EXPECT_EQ(detected("", ""), "UTF-8");
  EXPECT_EQ(detected("plain", ""), "UTF-8");
  EXPECT_EQ(detected("gr\xC3\xBC\xC3\x9F", ""), "UTF-8");
  EXPECT_EQ(detected("gr\xFC\xDF.", ""), "windows-1252");
  EXPECT_EQ(detected("gr\xFC", ""), "windows-1252");
}

TEST(Charset, ForgivesACharacterCutOffAtTheEndOfWhatIsLookedAt) {
  for (std::size_t before = kSniffedBytes - 4; before <= kSniffedBytes; ++before) {
    const std::string bytes = std::string(before, 'a') + "\xF0\x9F\x98\x80";
    EXPECT_EQ(detected(bytes, ""), "UTF-8") << before;
  }
}

TEST(Charset, LooksNoFurtherThanTheFirstBytes) {
  EXPECT_EQ(detected(std::string(kSniffedBytes, ' ') + "<meta charset=big5>", ""), "UTF-8");
}

}  // namespace
}  // namespace fantail
