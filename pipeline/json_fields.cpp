#include "pipeline/json_fields.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "pipeline/json_number.h"

namespace fantail {

namespace {

using nlohmann::json;
using Type = JsonField::Type;

constexpr std::size_t kMaxDepth = 64;
constexpr int kNumberOutOfRange = 406;  // the library's id of that error

// "/a~1b/0" is {"a/b", "0"}.
std::vector<std::string> pointer_tokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
      continue;
    }
    if (tokens.empty()) break;  // does not start with a slash: points nowhere
    char c = pointer[i];
    if (c == '~' && i + 1 < pointer.size()) c = pointer[++i] == '1' ? '/' : '~';
    tokens.back() += c;
  }
  return tokens;
}

// Follows one pointer while the document passes by. Matching a token closes its level for good, which makes
// the first of equal keys count.
struct Target {
  std::vector<std::string> tokens;
  std::size_t on_path = 0;  // tokens that the way to the current value has in common with the pointer
  std::size_t matched = 0;  // tokens ever matched
  JsonField field;

  bool wants(std::size_t level) const {
    return on_path == level && matched == level && level < tokens.size();
  }
  void enter(std::size_t level, std::string_view token) {
    if (tokens[level] == token) on_path = matched = level + 1;
  }
  // True when the value that comes next, on this level, is the one.
  bool is_here(std::size_t level) const {
    return !tokens.empty() && on_path == level && level == tokens.size();
  }
  void leave(std::size_t level) {
    if (on_path == level && level > 0) on_path = level - 1;
  }
};

class FieldReader final : public nlohmann::json_sax<json> {
 public:
  explicit FieldReader(std::span<const std::string_view> pointers) {
    for (const std::string_view pointer : pointers)
      targets_.push_back({pointer_tokens(pointer), 0, 0, {}});
  }

  bool null() override { return scalar(Type::kNull, ""); }
  bool boolean(bool value) override { return scalar(Type::kBoolean, value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override { return scalar(Type::kNumber, std::to_string(value)); }
  bool number_unsigned(std::uint64_t value) override { return scalar(Type::kNumber, std::to_string(value)); }
  bool number_float(double, const std::string& raw) override {
    return scalar(Type::kNumber, json_number_text(raw));
  }
  bool string(std::string& value) override { return scalar(Type::kString, value); }
  bool binary(json::binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(false); }
  bool start_array(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    enter(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) override {
    if (error.id != kNumberOutOfRange) {
      error_.message = "the body is not valid JSON at byte " + std::to_string(position);
      return false;
    }
    // The number is valid JSON, yet the library stops at what no double holds.
    error_.message = "a number in the body is out of range at byte " + std::to_string(position);
    begin_value();
    for (std::size_t i = 0; i < targets_.size(); ++i)
      if (targets_[i].is_here(containers_.size())) error_.out_of_range_field = i;
    return false;
  }

  const JsonError& error() const { return error_; }
  std::vector<JsonField> take_fields() {
    std::vector<JsonField> fields;
    for (Target& target : targets_)
      fields.push_back(std::move(target.field));
    return fields;
  }

 private:
  struct Container {
    bool is_array = false;
    std::uint64_t next_index = 0;
  };

  void enter(std::string_view token) {
    const std::size_t level = containers_.size() - 1;
    for (Target& target : targets_)
      if (target.wants(level)) target.enter(level, token);
  }

  // Elements of arrays come without a key.
  void begin_value() {
    if (containers_.empty() || !containers_.back().is_array) return;
    enter(std::to_string(containers_.back().next_index++));
  }

  void end_value() {
    for (Target& target : targets_)
      target.leave(containers_.size());
  }

  void store(Type type, std::string_view text) {
    for (Target& target : targets_)
      if (target.is_here(containers_.size())) target.field = {type, std::string(text)};
  }

  bool scalar(Type type, std::string_view text) {
    begin_value();
    store(type, text);
    end_value();
    return true;
  }

  bool open(bool is_array) {
    begin_value();
    store(Type::kContainer, "");
    if (containers_.size() == kMaxDepth) {
      error_.message = "the body is nested deeper than " + std::to_string(kMaxDepth) + " levels";
      return false;
    }
    containers_.push_back({is_array, 0});
    return true;
  }

  bool close() {
    containers_.pop_back();
    end_value();
    return true;
  }

  std::vector<Target> targets_;
  std::vector<Container> containers_;
  JsonError error_;
};

}  // namespace

std::variant<std::vector<JsonField>, JsonError> read_json_fields(std::string_view json_text,
                                                                 std::span<const std::string_view> pointers) {
  if (json_text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return JsonError{"the body is empty", {}};
  // The library takes a null byte for the end of the text.
  if (const std::size_t null = json_text.find('\0'); null != std::string_view::npos)
    return JsonError{"the body is not valid JSON at byte " + std::to_string(null + 1), {}};
  FieldReader reader(pointers);
  json::sax_parse(json_text, &reader);
  if (!reader.error().message.empty()) return reader.error();
  return reader.take_fields();
}

}  // namespace fantail
