#include "ventilator/sources/vendors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace fantail {
namespace {

std::optional<std::string> environment(const std::string& name) {
  if (name == "KEY") return "s3cret";
  if (name == "NESTED") return "${KEY}";
  if (name == "BREAK") return "s3cret\r\nX-Evil: 1";
  if (name == "LATIN") return "s3cret\xE9";
  return std::nullopt;
}

class Vendors : public testing::Test {
 protected:
  Vendors() {
    std::string folder = (std::filesystem::temp_directory_path() / "fantail-vendors-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  ~Vendors() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "vendors.yaml").string(); }

  std::variant<std::vector<proto::Vendor>, std::string> read(const std::string& text) {
    std::ofstream(path(), std::ios::binary) << text;
    return read_vendors(path(), environment);
  }

  std::vector<proto::Vendor> good(const std::string& text) {
    const auto result = read(text);
    if (const auto* error = std::get_if<std::string>(&result)) {
      ADD_FAILURE() << *error;
      return {};
    }
    return std::get<std::vector<proto::Vendor>>(result);
  }

  // The sentence behind the folder; empty if the file is fine.
  std::string error(const std::string& text) {
    const auto result = read(text);
    const auto* error = std::get_if<std::string>(&result);
    if (error == nullptr) return "";
    EXPECT_EQ(error->find('\n'), std::string::npos);
    EXPECT_EQ(error->find("s3cret"), std::string::npos) << *error;
    EXPECT_TRUE(error->starts_with(path())) << *error;
    return error->substr(path().size());
  }

  // The error of an entry that is fine but for these lines.
  std::string entry_error(const std::string& lines) {
    return error("vendors:\n  - name: BestBuy\n    url: http://h/{product}\n    price: /p\n    " + lines +
                 "\n");
  }

  std::filesystem::path folder_;
};

TEST_F(Vendors, ReadsEveryKey) {
  const auto vendors = good(R"(
# Two shops.
vendors:
  - name: BestBuy
    url: https://example.com/{product}
    timeout: 1.5s
    price: /offer/price
    currency: /offer/currency
    in_stock: /offer/stock
    headers:
      X-Key: ${KEY}
      Accept: application/json
    body: '{"id":"{product}","key":"${KEY}"}'
    default_currency: usd
  - {name: "Zwei & Söhne", url: "http://h/{product}", price: /p, method: post, headers: ["X-Key:${KEY}-${KEY}", A: b]}
)");
  ASSERT_EQ(vendors.size(), 2U);
  const proto::Vendor& first = vendors[0];
  EXPECT_EQ(first.name(), "BestBuy");
  EXPECT_EQ(first.url(), "https://example.com/{product}");
  EXPECT_EQ(first.timeout_us(), 1'500'000U);
  EXPECT_EQ(first.price_pointer(), "/offer/price");
  EXPECT_EQ(first.currency_pointer(), "/offer/currency");
  EXPECT_EQ(first.in_stock_pointer(), "/offer/stock");
  ASSERT_EQ(first.headers_size(), 2);
  EXPECT_EQ(first.headers(0), "X-Key: s3cret");
  EXPECT_EQ(first.headers(1), "Accept: application/json");
  EXPECT_EQ(first.body(), R"({"id":"{product}","key":"s3cret"})");
  EXPECT_EQ(first.method(), "POST");
  EXPECT_EQ(first.default_currency(), "USD");
  const proto::Vendor& second = vendors[1];
  EXPECT_EQ(second.name(), "Zwei & S\xC3\xB6hne");
  EXPECT_EQ(second.method(), "POST");
  EXPECT_EQ(second.timeout_us(), 10'000'000U);
  ASSERT_EQ(second.headers_size(), 2);
  EXPECT_EQ(second.headers(0), "X-Key: s3cret-s3cret");
  EXPECT_EQ(second.headers(1), "A: b");
}

TEST_F(Vendors, GetsWithoutABody) {
  const auto vendors = good("vendors: [{name: a, url: 'http://h/{product}', price: /p}]");
  ASSERT_EQ(vendors.size(), 1U);
  EXPECT_EQ(vendors[0].method(), "GET");
  EXPECT_TRUE(vendors[0].body().empty() && vendors[0].default_currency().empty());
  EXPECT_TRUE(vendors[0].currency_pointer().empty() && vendors[0].in_stock_pointer().empty());
}

TEST_F(Vendors, TakesVariablesAsTheyAre) {
  const auto vendors =
      good("vendors: [{name: a, url: 'http://h/', price: /p, body: '$ ${NESTED} {product} $'}]");
  ASSERT_EQ(vendors.size(), 1U);
  EXPECT_EQ(vendors[0].body(), "$ ${KEY} {product} $");
}

TEST_F(Vendors, SaysWhichKeyWasMeant) {
  EXPECT_EQ(entry_error("currensy: /c"),
            R"(:5: vendor "BestBuy": unknown key "currensy"; did you mean "currency"?)");
  EXPECT_EQ(entry_error("prise: /c"), R"(:5: vendor "BestBuy": unknown key "prise"; did you mean "price"?)");
  EXPECT_EQ(entry_error("in-stock: /c"),
            R"(:5: vendor "BestBuy": unknown key "in-stock"; did you mean "in_stock"?)");
  EXPECT_TRUE(entry_error("colour: red")
                  .starts_with(R"(:5: vendor "BestBuy": unknown key "colour"; known keys: name, url,)"));
  EXPECT_EQ(entry_error("price: /q"), R"(:5: vendor "BestBuy": the key "price" is there twice; remove one)");
  EXPECT_EQ(error("vendor: []"), R"(:1: unknown key "vendor"; did you mean "vendors"?)");
}

TEST_F(Vendors, SaysWhatIsWrongInAnEntry) {
  const std::pair<std::string, std::string> cases[] = {
      {"timeout: 10x", "the timeout \"10x\" is no duration; write one such as 10s or 500ms"},
      {"timeout: 0s", "the timeout \"0s\" is no duration; write one such as 10s or 500ms"},
      {"timeout: -1s", "the timeout \"-1s\" is no duration; write one such as 10s or 500ms"},
      {"timeout: [1]", "the key \"timeout\" has no text; write a value behind it or leave the key out"},
      {"timeout:", "the key \"timeout\" has no text; write a value behind it or leave the key out"},
      {"currency: c", "currency \"c\" is no JSON pointer; write one such as /offer/currency"},
      {"in_stock: /a~2", "in_stock \"/a~2\" is no JSON pointer; write one such as /offer/in_stock"},
      {"default_currency: DEM",
       "the default_currency \"DEM\" is no ISO 4217 code in use; write one such as USD"},
      {"method: GE T", "the method \"GE T\" is no HTTP method; write GET or POST"},
      {"headers: text", "headers is neither a map nor a list; write \"Name: value\" lines below it"},
      {"headers: [text]", "a header has no colon; write it as \"Name: value\""},
      {"headers: {A b: c}", "the header name \"A b\" is not valid; write it as \"Name: value\""},
      {"headers: {A: [b]}", "a header is not text; write it as Name: value"},
      {"headers: {A: '${BREAK}'}", "the value of the header \"A\" holds a control character; remove it"},
      {"headers: {A: '${LATIN}'}",
       "the environment variable \"LATIN\" is not UTF-8; set it to text in that encoding"},
      {"headers: {A: '${NONE}'}", "the environment variable \"NONE\" is not set; export it before the run"},
      {"body: '${NONE}'", "the environment variable \"NONE\" is not set; export it before the run"},
      {"body: '${KEY'", "\"${\" does not name a variable; write it as ${NAME}"},
      {"body: '${}'", "\"${\" does not name a variable; write it as ${NAME}"},
  };
  for (const auto& [lines, cause] : cases)
    EXPECT_EQ(entry_error(lines), ":5: vendor \"BestBuy\": " + cause) << lines;
}

TEST_F(Vendors, ChecksNames) {
  const std::string rest = ", url: 'http://h/{product}', price: /p}";
  EXPECT_EQ(error("vendors: [{x: y}]").substr(0, 16), ":1: vendor 1: un");
  EXPECT_EQ(error("vendors: [{" + rest.substr(2) + "]"),
            ":1: vendor 1: has no name; add one such as name: BestBuy");
  EXPECT_NE(error("vendors: [{name: ''" + rest + "]").find("the key \"name\" has no text"),
            std::string::npos);
  EXPECT_EQ(error("vendors: [{name: a@b" + rest + "]"),
            ":1: vendor \"a@b\": the name holds an @ or a control character; leave it out");
  EXPECT_EQ(error("vendors: [{name: \"a\\eb\"" + rest + "]"),
            ":1: vendor \"a?b\": the name holds an @ or a control character; leave it out");
  EXPECT_EQ(error("vendors:\n - {name: a" + rest + "\n - {name: a" + rest),
            ":3: two vendors have the name \"a\"; give each a name of its own");
}

TEST_F(Vendors, ChecksUrlsAndPrices) {
  const auto with_url = [this](const std::string& url) {
    return error("vendors: [{name: a, price: /p, url: '" + url + "'}]");
  };
  EXPECT_NE(with_url("ftp://h/{product}").find("is no http or https URL"), std::string::npos);
  EXPECT_NE(with_url("h/{product}").find("is no http or https URL"), std::string::npos);
  EXPECT_NE(with_url("http://").find("is no http or https URL"), std::string::npos);
  EXPECT_EQ(with_url("http://h/"),
            ":1: vendor \"a\": neither url nor body holds {product}; put it where the product's id belongs");
  EXPECT_EQ(with_url("http://{product}.example/"), "");
  EXPECT_EQ(with_url("http://h/{product}?key=${KEY}"),
            ":1: vendor \"a\": the url holds ${; variables go into headers and body, put it there");
  EXPECT_NE(error("vendors: [{name: a, price: /p}]").find("has no url; add one"), std::string::npos);
  EXPECT_NE(error("vendors: [{name: a, url: 'http://h/{product}'}]").find("has no price; add where"),
            std::string::npos);
}

TEST_F(Vendors, ChecksTheFile) {
  EXPECT_NE(error("").find("has no \"vendors:\" list"), std::string::npos);
  EXPECT_NE(error("- a").find("has no \"vendors:\" list"), std::string::npos);
  EXPECT_NE(error("vendors:").find("is not a list with entries"), std::string::npos);
  EXPECT_NE(error("vendors: []").find("is not a list with entries"), std::string::npos);
  EXPECT_NE(error("vendors: {a: b}").find("is not a list with entries"), std::string::npos);
  EXPECT_NE(error("vendors: [a]").find(":1: vendor 1: is not a map"), std::string::npos);
  EXPECT_NE(error("vendors:\n  - [name: \"a\n").find("is not valid YAML"), std::string::npos);
  EXPECT_NE(error("vendors: [{name: a, [b]: c}]").find("a key is not a word"), std::string::npos);
  EXPECT_NE(error("vendors: \xFF").find("is not UTF-8"), std::string::npos);
  EXPECT_NE(error(std::string(100000, '[')).find("is not valid YAML"), std::string::npos);
}

TEST_F(Vendors, NamesAFileThatCannotBeRead) {
  const auto missing = read_vendors("no/such/file.yaml", environment);
  EXPECT_EQ(std::get<std::string>(missing),
            "cannot read --vendors no/such/file.yaml: No such file or directory; "
            "give the path of a vendors file");
  const auto folder = read_vendors(folder_.string(), environment);
  EXPECT_EQ(std::get<std::string>(folder), "cannot read --vendors " + folder_.string() +
                                               ": Is a directory; give the path of a vendors file");
}

TEST_F(Vendors, SurvivesEveryPrefixAndEveryChangedByte) {
  const std::string text =
      "vendors:\n- &x {name: a, url: 'http://h/{product}', price: /p, headers: [A: b]}\n- *x\n";
  for (std::size_t at = 0; at < text.size(); ++at) {
    EXPECT_NE(error(text.substr(0, at)), "~");
    for (const char c : {'\0', '\t', '"', '{', ']', ':', '&', '*', '!', '-', '%', '\xFF'}) {
      std::string changed = text;
      changed[at] = c;
      EXPECT_NE(error(changed), "~");
    }
  }
}

}  // namespace
}  // namespace fantail
