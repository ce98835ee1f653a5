#include "pipeline/json_line.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "pipeline/json_number.h"

namespace fantail {

namespace {

using nlohmann::json;

// Writes a document again while it passes by.
class CompactWriter final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return scalar("null"); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override { return scalar(std::to_string(value)); }
  bool number_unsigned(std::uint64_t value) override { return scalar(std::to_string(value)); }
  bool number_float(double, const std::string& token) override { return scalar(json_number_text(token)); }
  bool string(std::string& value) override { return scalar(json(value).dump()); }
  bool binary(json::binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open('{'); }
  bool start_array(std::size_t) override { return open('['); }
  bool end_object() override { return close('}'); }
  bool end_array() override { return close(']'); }
  bool key(std::string& name) override {
    scalar(json(name).dump());
    text_ += ':';
    is_behind_value_ = false;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

  std::string take() { return std::move(text_); }

 private:
  void begin_value() {
    if (is_behind_value_) text_ += ',';
  }
  bool scalar(std::string_view text) {
    begin_value();
    text_ += text;
    is_behind_value_ = true;
    return true;
  }
  bool open(char bracket) {
    begin_value();
    text_ += bracket;
    is_behind_value_ = false;
    return true;
  }
  bool close(char bracket) {
    text_ += bracket;
    is_behind_value_ = true;
    return true;
  }

  std::string text_;
  bool is_behind_value_ = false;  // of the same array or object
};

std::optional<std::string> json_of_argument(std::string_view argument, bool strings) {
  if (!strings) {
    if (auto value = compact_json(argument)) return value;
  }
  return json_string(argument);
}

}  // namespace

std::optional<std::string> compact_json(std::string_view text) {
  // The library takes a null byte for the end of the text.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  CompactWriter writer;
  if (!json::sax_parse(text, &writer)) return std::nullopt;
  return writer.take();
}

std::optional<std::string> json_string(std::string_view text) {
  try {
    return json(text).dump();
  } catch (const json::type_error&) {
    return std::nullopt;
  }
}

std::optional<std::string> json_of_input(std::string_view input, std::uint32_t arguments, bool strings) {
  if (arguments <= 1) return json_of_argument(input, strings);
  std::string array;
  for (bool more = true; more;) {
    const std::size_t tab = input.find('\t');
    const auto value = json_of_argument(input.substr(0, tab), strings);
    if (!value) return std::nullopt;
    array += (array.empty() ? '[' : ',') + *value;
    more = tab != std::string_view::npos;
    if (more) input.remove_prefix(tab + 1);
  }
  return array + ']';
}

}  // namespace fantail
