// html5lib's tokenizer cases: every case whole, and one byte at a time. Parse errors are not compared: we
// report none.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "worker/html/tokenizer.h"
#include "worker/html/utf8.h"

namespace fantail {
namespace {

using Json = nlohmann::json;

// Writes the tokens as the cases do: ["StartTag", name, attributes, true?], ["Character", text], ...
class JsonTokens : public TokenHandler {
 public:
  bool wants_attributes(std::string_view) override { return true; }
  bool allows_cdata() override { return false; }
  ContentModel on_start_tag(const StartTag& tag) override {
    Json attributes = Json::object();
    std::string buffer;
    for (const Attribute& attribute : tag.attributes)
      attributes[std::string(attribute.name)] = attribute.value(buffer);
    Json token = {"StartTag", tag.name, attributes};
    if (tag.self_closing) token.push_back(true);
    tokens.push_back(token);
    return ContentModel::kData;
  }
  void on_end_tag(std::string_view name) override { tokens.push_back({"EndTag", name}); }
  void on_characters(std::string_view text) override {
    if (tokens.empty() || tokens.back()[0] != "Character") tokens.push_back({"Character", ""});
    tokens.back()[1].get_ref<std::string&>() += text;
  }
  void on_comment(std::string_view text) override { tokens.push_back({"Comment", text}); }
  void on_doctype(const Doctype& doctype) override {
    const auto or_null = [](const std::optional<std::string>& text) { return text ? Json(*text) : Json(); };
    tokens.push_back({"DOCTYPE", or_null(doctype.name), or_null(doctype.public_identifier),
                      or_null(doctype.system_identifier), !doctype.force_quirks});
  }

  Json tokens = Json::array();
};

// Resolves the \uXXXX of doubly escaped cases. A lone surrogate becomes three bytes, which pass through like
// any others.
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "\\u") != 0) {
      result += text[i];
      continue;
    }
    append_utf8(static_cast<char32_t>(std::stoul(text.substr(i + 2, 4), nullptr, 16)), result);
    i += 5;
  }
  return result;
}

void unescape_all(Json& value) {
  if (value.is_string()) {
    value = unescaped(value.get<std::string>());
  } else if (value.is_array()) {
    for (Json& element : value)
      unescape_all(element);
  } else if (value.is_object()) {
    Json object = Json::object();
    for (const auto& [key, element] : value.items()) {
      object[unescaped(key)] = unescaped(element.get<std::string>());
    }
    value = object;
  }
}

ContentModel content_model(const std::string& state) {
  if (state == "Data state") return ContentModel::kData;
  if (state == "RCDATA state") return ContentModel::kRcdata;
  if (state == "RAWTEXT state") return ContentModel::kRawtext;
  if (state == "Script data state") return ContentModel::kScriptData;
  if (state == "PLAINTEXT state") return ContentModel::kPlaintext;
  EXPECT_EQ(state, "CDATA section state");
  return ContentModel::kCdataSection;
}

Json tokenize(std::string_view input, ContentModel model, const std::string& last_start_tag,
              std::size_t chunk_size) {
  JsonTokens handler;
  Tokenizer tokenizer(handler);
  tokenizer.start_in(model, last_start_tag);
  for (std::size_t i = 0; i < input.size(); i += chunk_size)
    tokenizer.feed(input.substr(i, chunk_size));
  tokenizer.finish();
  return handler.tokens;
}

void check_case(const Json& test) {
  const bool doubly_escaped = test.value("doubleEscaped", false);
  std::string input = test["input"].get<std::string>();
  Json expected = test["output"];
  if (doubly_escaped) {
    input = unescaped(input);
    unescape_all(expected);
  }
  const std::string last_start_tag = test.value("lastStartTag", std::string());
  for (const std::string& state : test.value("initialStates", std::vector<std::string>{"Data state"})) {
    for (const std::size_t chunk_size : {input.size() + 1, std::size_t{1}, std::size_t{3}}) {
      const Json tokens = tokenize(input, content_model(state), last_start_tag, chunk_size);
      EXPECT_EQ(tokens, expected) << test["description"] << " in " << state << ", chunks of " << chunk_size
                                  << "\n got " << tokens.dump(-1, ' ', true, Json::error_handler_t::replace)
                                  << "\n for "
                                  << expected.dump(-1, ' ', true, Json::error_handler_t::replace);
    }
  }
}

TEST(HtmlTokenizerConformance, PassesTheCasesOfHtml5lib) {
  const std::filesystem::path folder = std::filesystem::path(FANTAIL_SHARED_TESTDATA) / "html5lib-tokenizer";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the html5lib tokenizer cases are not here";
  std::size_t cases = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    // Those cases coerce text to what XML allows: another output than HTML's.
    if (file.path().extension() != ".test" || file.path().filename() == "xmlViolation.test") continue;
    SCOPED_TRACE(file.path().filename());
    std::ifstream stream(file.path());
    const Json document = Json::parse(stream);
    for (const Json& test : document["tests"]) {
      check_case(test);
      ++cases;
    }
  }
  EXPECT_GT(cases, 6000U);
}

}  // namespace
}  // namespace fantail
