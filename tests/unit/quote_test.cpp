#include "worker/prices/quote.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "worker/prices/request.h"

namespace fantail {
namespace {

proto::Vendor make_vendor() {
  proto::Vendor vendor;
  vendor.set_name("BestBuy");
  vendor.set_price_pointer("/price");
  vendor.set_currency_pointer("/currency");
  vendor.set_in_stock_pointer("/stock");
  return vendor;
}

JobResult quote_in(const std::string& body, const proto::Vendor& vendor = make_vendor()) {
  return read_quote(vendor, body, 1500, 200);
}

proto::PricesResult payload_of(const JobResult& result) {
  proto::PricesResult message;
  EXPECT_TRUE(message.ParseFromString(result.payload));
  return message;
}

// "62.45 USD" as minor units, "6245 USD 2", or the error's code.
std::string told(const std::string& body, const proto::Vendor& vendor = make_vendor()) {
  const JobResult result = quote_in(body, vendor);
  const proto::PricesResult message = payload_of(result);
  EXPECT_EQ(message.load_us(), 1500U);
  EXPECT_EQ(message.status_code(), 200U);
  EXPECT_EQ(message.has_price(), result.status == Status::kOk);
  if (result.status != Status::kOk) {
    EXPECT_FALSE(result.error_message.empty());
    return result.error_code;
  }
  return std::to_string(message.minor_units()) + " " + message.currency() + " " +
         std::to_string(message.minor_digits());
}

std::string with_price(const std::string& price, const std::string& currency = "USD") {
  return R"({"price":)" + price + R"(,"currency":")" + currency + R"(","stock":true})";
}

TEST(Quote, ReadsPriceCurrencyAndStock) {
  const JobResult result = quote_in(R"({"price":62.45,"currency":"USD","stock":true})");
  ASSERT_EQ(result.status, Status::kOk);
  const proto::PricesResult message = payload_of(result);
  EXPECT_TRUE(message.has_price());
  EXPECT_EQ(message.minor_units(), 6245);
  EXPECT_EQ(message.minor_digits(), 2U);
  EXPECT_EQ(message.currency(), "USD");
  EXPECT_TRUE(message.has_in_stock() && message.in_stock());
}

TEST(Quote, ReadsPricesFromTheCharactersTheyWereWrittenIn) {
  EXPECT_EQ(told(with_price("1.005", "KWD")), "1005 KWD 3");
  EXPECT_EQ(told(with_price("8.165", "KWD")), "8165 KWD 3");
  EXPECT_EQ(told(with_price("1.005")), "bad_price");
  EXPECT_EQ(told(with_price("0.1000000000000000055511151231257827")), "bad_price");
  EXPECT_EQ(told(with_price("9007199254740993", "JPY")), "9007199254740993 JPY 0");
  EXPECT_EQ(told(with_price("9999999999999999.99")), "999999999999999999 USD 2");
  EXPECT_EQ(told(with_price("2879.2")), told(with_price("2879.20")));
  EXPECT_EQ(told(with_price("1E2")), "10000 USD 2");
  EXPECT_EQ(told(with_price("-0")), "0 USD 2");
  EXPECT_EQ(told(with_price("-0.0")), "0 USD 2");
  EXPECT_EQ(told(with_price("\" 1234.50 \"")), "123450 USD 2");
  EXPECT_EQ(told(with_price("\"1.5e2\"")), "15000 USD 2");
}

TEST(Quote, RefusesBadPrices) {
  for (const char* price :
       {"-1", "-0.01", "1e400", "-1e400", "1e-400", "18446744073709551616", "1234567890123456789", "\"NaN\"",
        "\"\"", "\"1,234.50\"", "\"$5\"", "\"12.3.4\"", "true", "[]", "{}", "[1]", "{\"a\":1}"}) {
    EXPECT_EQ(told(with_price(price)), "bad_price") << price;
  }
  EXPECT_EQ(told(with_price("1234.50", "JPY")), "bad_price");
}

TEST(Quote, NamesWhatIsMissing) {
  EXPECT_EQ(told(R"({"currency":"USD"})"), "missing_price");
  EXPECT_EQ(told(R"({"price":null,"currency":"USD"})"), "missing_price");
  EXPECT_EQ(told(R"({"error":"no such product"})"), "missing_price");
  EXPECT_EQ(told("[]"), "missing_price");
  EXPECT_EQ(told("5"), "missing_price");
  EXPECT_EQ(told(R"({"price":1})"), "missing_currency");
  EXPECT_EQ(told(R"({"price":1,"currency":null})"), "missing_currency");
  EXPECT_EQ(told(R"({"price":1,"currency":" "})"), "missing_currency");
}

TEST(Quote, ReadsTheCurrencyOrTakesTheDefault) {
  EXPECT_EQ(told(with_price("1", " usd ")), "100 USD 2");
  EXPECT_EQ(told(with_price("1", "DEM")), "unknown_currency");
  EXPECT_EQ(told(R"({"price":1,"currency":840})"), "unknown_currency");
  proto::Vendor vendor = make_vendor();
  vendor.set_default_currency("JPY");
  EXPECT_EQ(told(R"({"price":1})", vendor), "1 JPY 0");
  EXPECT_EQ(told(R"({"price":1,"currency":null})", vendor), "1 JPY 0");
  EXPECT_EQ(told(with_price("1", "EUR"), vendor), "100 EUR 2");
  vendor.clear_currency_pointer();
  EXPECT_EQ(told(with_price("1", "EUR"), vendor), "1 JPY 0");
}

std::optional<bool> stock(const std::string& value, const proto::Vendor& vendor = make_vendor()) {
  const JobResult result =
      quote_in(R"({"price":1,"currency":"USD")" + (value.empty() ? "" : ",\"stock\":" + value) + "}", vendor);
  EXPECT_EQ(result.status, Status::kOk) << value;
  const proto::PricesResult message = payload_of(result);
  return message.has_in_stock() ? std::optional(message.in_stock()) : std::nullopt;
}

TEST(Quote, ReadsTheStock) {
  for (const char* in : {"true", "1", "250", "0.5", "1e-400", "\"true\"", "\"In Stock\"", "\"InStock\"",
                         "\"in_stock\"", "\" YES \""})
    EXPECT_EQ(stock(in), true) << in;
  for (const char* out : {"false", "0", "0.0", "0e5", "-0", "\"FALSE\"", "\"out of stock\"", "\"OutOfStock\"",
                          "\"out_of_stock\"", "\"no\""})
    EXPECT_EQ(stock(out), false) << out;
  for (const char* unknown :
       {"", "null", "-1", "-0.5", "\"\"", "\"preorder\"", "\"250 in stock\"", "[]", "{}", "[true]"})
    EXPECT_EQ(stock(unknown), std::nullopt) << unknown;
  proto::Vendor vendor = make_vendor();
  vendor.clear_in_stock_pointer();
  EXPECT_EQ(stock("false", vendor), true);
}

TEST(Quote, FollowsPointers) {
  struct Case {
    std::string pointer, body, expected;
  };
  const Case cases[] = {
      {"/offers/1/price", R"({"offers":[{"price":1},{"price":2},{"price":3}]})", "200 USD 2"},
      {"/1", "[5,6,7]", "600 USD 2"},
      {"/0/0", "[[5],[6]]", "500 USD 2"},
      {"/1/0", "[[5],[6]]", "600 USD 2"},
      {"/01", "[5,6,7]", "missing_price"},
      {"/-", "[5]", "missing_price"},
      {"/a~1b/m~0n", R"({"a/b":{"m~n":4}})", "400 USD 2"},
      {"/~01", R"({"~1":4,"/":5})", "400 USD 2"},
      {"/", R"({"":9})", "900 USD 2"},
      {"/a//b", R"({"a":{"":{"b":9}}})", "900 USD 2"},
      {"/0", R"({"0":9})", "900 USD 2"},
      {"/price", R"({"x":{"price":1},"price":2})", "200 USD 2"},
      {"/price", R"({"x":[{"price":1}],"y":{"z":{"price":3}}})", "missing_price"},
      {"/a/price", R"({"b":{"a":{"price":1}},"a":{"b":{"price":2},"price":3}})", "300 USD 2"},
      {"/a/b", R"({"a":5})", "missing_price"},
      {"/caf\xC3\xA9", R"({"caf\u00e9":9})", "900 USD 2"},
      {"price", R"({"price":9})", "missing_price"},
  };
  for (const Case& c : cases) {
    proto::Vendor vendor;
    vendor.set_price_pointer(c.pointer);
    vendor.set_default_currency("USD");
    EXPECT_EQ(told(c.body, vendor), c.expected) << c.pointer << " in " << c.body;
  }
}

TEST(Quote, TakesTheFirstOfEqualKeys) {
  EXPECT_EQ(told(R"({"price":1,"price":2,"currency":"USD","currency":"JPY"})"), "100 USD 2");
  EXPECT_EQ(told(R"({"price":null,"price":2,"currency":"USD"})"), "missing_price");
  proto::Vendor vendor = make_vendor();
  vendor.set_price_pointer("/a/price");
  EXPECT_EQ(told(R"({"a":{"x":1},"a":{"price":2},"currency":"USD"})", vendor), "missing_price");
  EXPECT_EQ(told(R"({"a":5,"a":{"price":2},"currency":"USD"})", vendor), "missing_price");
}

TEST(Quote, RefusesWhatIsNotJson) {
  const std::string good = with_price("1");
  for (const std::string& body : {std::string(),
                                  std::string(" \r\n"),
                                  std::string("<html>"),
                                  good.substr(0, good.size() - 1),
                                  good + "x",
                                  good + std::string("\0x", 2),
                                  std::string(1, '\0'),
                                  with_price("NaN"),
                                  with_price("Infinity"),
                                  with_price("01"),
                                  with_price("+1"),
                                  with_price(".5"),
                                  with_price("1."),
                                  with_price("0x1"),
                                  with_price("'1'"),
                                  with_price("1 /* */"),
                                  with_price("1", "\xFF"),
                                  with_price("1", "\n"),
                                  std::string("{\"price\":1,}"),
                                  std::string("{price:1}"),
                                  std::string("[1 2]"),
                                  std::string("]"),
                                  std::string("\"\\ud800\"")}) {
    EXPECT_EQ(told(body), "bad_json") << body;
  }
  EXPECT_EQ(told(R"({"price":1,"currency":"USD","weight":1e400})"), "bad_json");
  EXPECT_EQ(told("\xEF\xBB\xBF" + good), "100 USD 2");
}

TEST(Quote, RefusesDeepDocuments) {
  const auto nested = [](std::size_t depth) {
    return R"({"price":1,"currency":"USD","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(told(nested(63)), "100 USD 2");
  EXPECT_EQ(told(nested(64)), "bad_json");
  EXPECT_EQ(told(nested(1000000)), "bad_json");
  EXPECT_EQ(told(std::string(1000000, '[')), "bad_json");
  std::string objects;
  for (int i = 0; i < 100000; ++i)
    objects += "{\"price\":";
  EXPECT_EQ(told(objects), "bad_json");
}

TEST(Quote, SurvivesEveryPrefixAndEveryChangedByte) {
  const std::string body = R"({"price":"6.5","currency":"USD","stock":[{"a":1e5}],"u":"\u00e9\ud83d\ude00"})";
  ASSERT_EQ(told(body), "650 USD 2");
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_EQ(told(body.substr(0, size)), "bad_json") << size;
  for (std::size_t at = 0; at < body.size(); ++at) {
    for (const char c : {'\0', '"', '{', ']', ',', '\\', '\xFF', '9', 'e'}) {
      std::string changed = body;
      changed[at] = c;
      EXPECT_FALSE(told(changed).empty());
    }
  }
}

TEST(VendorRequest, PutsTheProductIntoUrlAndBody) {
  proto::Vendor vendor = make_vendor();
  vendor.set_url("https://example.com/{product}?again={product}");
  vendor.set_method("POST");
  vendor.set_body(R"({"id":"{product}","again":"{product}"})");
  vendor.add_headers("X-Key: {product}");
  const VendorRequest request = make_vendor_request(vendor, "a b/\"\\\n\xC3\xA9{product}");
  EXPECT_EQ(
      request.url,
      "https://example.com/a%20b%2F%22%5C%0A%C3%A9%7Bproduct%7D?again=a%20b%2F%22%5C%0A%C3%A9%7Bproduct%7D");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body,
            "{\"id\":\"a b/\\\"\\\\\\n\xC3\xA9{product}\",\"again\":\"a b/\\\"\\\\\\n\xC3\xA9{product}\"}");
  EXPECT_EQ(request.headers,
            (std::vector<std::string>{"X-Key: {product}", "Content-Type: application/json"}));
}

TEST(VendorRequest, LeavesTheVendorsOwnContentType) {
  proto::Vendor vendor = make_vendor();
  vendor.set_url("http://h/{product}");
  vendor.set_method("GET");
  EXPECT_TRUE(make_vendor_request(vendor, "p").headers.empty());
  vendor.set_body(" [\"{product}\"]");
  vendor.add_headers("content-type: application/vnd.api+json");
  const VendorRequest request = make_vendor_request(vendor, "\xFF");
  EXPECT_EQ(request.headers, std::vector<std::string>{"content-type: application/vnd.api+json"});
  EXPECT_EQ(request.body, " [\"\xEF\xBF\xBD\"]");
  EXPECT_EQ(request.url, "http://h/%FF");
}

TEST(VendorRequest, AProductCannotLeaveItsFieldOfAForm) {
  proto::Vendor vendor = make_vendor();
  vendor.set_url("http://h/");
  vendor.set_method("POST");
  vendor.set_body("id={product}&key=1");
  const VendorRequest request = make_vendor_request(vendor, "a&key=2 {");
  EXPECT_EQ(request.body, "id=a%26key%3D2%20%7B&key=1");
  EXPECT_TRUE(request.headers.empty());
}

}  // namespace
}  // namespace fantail
