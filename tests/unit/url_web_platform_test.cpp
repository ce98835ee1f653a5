// Runs the URL cases of the web-platform-tests project through the parser.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "pipeline/url/url.h"

namespace fantail {
namespace {

using Json = nlohmann::json;

// Inputs whose expected result this parser does not reach, each with the reason. Empty, and meant to stay so.
const std::set<std::string> kExceptions = {};

std::optional<Json> load_cases() {
  std::ifstream file(std::filesystem::path(FANTAIL_SHARED_TESTDATA) / "urltestdata.json");
  if (!file) return std::nullopt;
  return Json::parse(file);
}

std::optional<Url> parse_case(const Json& item) {
  const auto input = item.at("input").get<std::string>();
  if (item.at("base").is_null()) return parse_url(input);
  const std::optional<Url> base = parse_url(item.at("base").get<std::string>());
  return base ? parse_url(input, &*base) : std::nullopt;
}

std::string prefixed(char prefix, const std::optional<std::string>& part) {
  return part && !part->empty() ? prefix + *part : std::string();
}

// The attributes of the DOM's URL interface, in which the cases are written.
Json attributes_of(const Url& url) {
  const std::string port = url.port ? std::to_string(*url.port) : "";
  const std::string hostname = url.host.value_or("");
  return {{"href", url.href()},
          {"protocol", url.scheme + ":"},
          {"username", url.username},
          {"password", url.password},
          {"hostname", hostname},
          {"host", port.empty() ? hostname : hostname + ":" + port},
          {"port", port},
          {"pathname", url.path},
          {"search", prefixed('?', url.query)},
          {"hash", prefixed('#', url.fragment)}};
}

// What is wrong with the parser's answer; empty if nothing is.
std::string complaint_about(const Json& item) {
  const std::optional<Url> url = parse_case(item);
  if (item.value("failure", false)) return url ? "expected failure, got " + url->href() : "";
  if (!url) return "expected " + item.at("href").dump() + ", got failure";
  std::string complaint;
  const Json attributes = attributes_of(*url);
  for (const auto& [name, value] : attributes.items()) {
    if (item.contains(name) && item[name] != value) {
      complaint += name + ": expected " + item[name].dump() + ", got " + value.dump() + "; ";
    }
  }
  return complaint;
}

TEST(UrlWebPlatform, PassesEveryCase) {
  const std::optional<Json> cases = load_cases();
  if (!cases) GTEST_SKIP() << "urltestdata.json is not on this machine";
  int total = 0;
  int passed = 0;
  for (const Json& item : *cases) {
    if (!item.is_object()) continue;  // strings are section titles
    ++total;
    const std::string complaint = complaint_about(item);
    passed += complaint.empty() ? 1 : 0;
    const bool is_exception = kExceptions.contains(item.at("input").get<std::string>());
    EXPECT_EQ(complaint.empty(), !is_exception)
        << item.at("input").dump() << " against " << item.at("base").dump() << ": " << complaint;
  }
  RecordProperty("cases", total);
  RecordProperty("passed", passed);
  EXPECT_GT(total, 800);
}

TEST(UrlWebPlatform, ReadsBackWhatItWrites) {
  const std::optional<Json> cases = load_cases();
  if (!cases) GTEST_SKIP() << "urltestdata.json is not on this machine";
  for (const Json& item : *cases) {
    const std::optional<Url> url = item.is_object() ? parse_case(item) : std::nullopt;
    if (!url) continue;
    const std::optional<Url> again = parse_url(url->href());
    ASSERT_TRUE(again) << url->href();
    EXPECT_EQ(again->href(), url->href());
  }
}

}  // namespace
}  // namespace fantail
