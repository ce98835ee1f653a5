// The short way through a tag that lies whole in the text at hand, as nearly every tag does: it is read in
// one go, and its attributes are not copied. Whatever is not so simple is left to the states, which read all
// tags alike.

#include <array>

#include "worker/html/byte_search.h"
#include "worker/html/tokenizer.h"

namespace fantail {
namespace {

constexpr std::size_t kLongestName = 16;

// What the states change in a name.
constexpr ByteSet kChangesName{std::string_view("\0ABCDEFGHIJKLMNOPQRSTUVWXYZ", 27)};

bool is_unchanged_name(std::string_view name) {
  return kChangesName.find(name.data(), name.data() + name.size()) == name.data() + name.size();
}

// Reads one attribute; null when it takes the states to do that, for one because the text ends before.
// Requires: begin is not at the end of the text, at white space, '/' or '>'.
const char* read_attribute(const char* begin, const char* end, Attribute& attribute) {
  // A '=' that begins a name belongs to it.
  const char* at = find_name_end(begin + 1, end, '=');
  if (at == end || !kEndsAttributeName.contains(*at)) return nullptr;
  attribute.name = {begin, at};
  const char* const name_end = at;
  at = kHtmlSpace.find_other(at, end);
  if (at == end) return nullptr;
  if (*at != '=') return name_end;
  at = kHtmlSpace.find_other(at + 1, end);
  if (at == end) return nullptr;
  if (*at == '"' || *at == '\'') {
    const char* const value = at + 1;
    at = find_either(value, end, *at, *at);
    if (at == end) return nullptr;
    attribute.raw_value = {value, at};
    return at + 1;
  }
  const char* const value = at;
  at = kEndsUnquotedValue.find(value, end);
  attribute.raw_value = {value, at};
  return at;
}

}  // namespace

const char* Tokenizer::read_whole_tag(const char* begin, const char* end) {
  const char* at = begin;
  const bool is_end_tag = at != end && *at == '/';
  if (is_end_tag) ++at;
  if (at == end || !is_ascii_alpha(*at)) return begin;
  const char* const name_begin = at;
  at = find_name_end(at, end, '>');
  const auto size = static_cast<std::size_t>(at - name_begin);
  if (at == end || size > kLongestName || !kEndsTagName.contains(*at)) return begin;
  std::array<char, kLongestName> letters;
  copy_lower_case(name_begin, end, size, letters.data());
  const std::string_view name(letters.data(), size);
  const bool keeps_attributes = !is_end_tag && handler_.wants_attributes(name);
  attributes_.clear();
  bool self_closing = false;
  while (at != end && *at != '>') {
    self_closing = *at == '/';
    if (self_closing || kHtmlSpace.contains(*at)) {
      ++at;
      continue;
    }
    Attribute attribute;
    at = read_attribute(at, end, attribute);
    if (at == nullptr) return begin;
    if (!keeps_attributes) continue;
    if (!is_unchanged_name(attribute.name) || attributes_.size() == TagBuilder::kMaxAttributes) return begin;
    if (StartTag{name, attributes_}.find(attribute.name) == nullptr) attributes_.push_back(attribute);
  }
  if (at == end || static_cast<std::size_t>(at - begin) > TagBuilder::kMaxBytes) return begin;
  if (is_end_tag) {
    report_end_tag(name);
  } else {
    report_start_tag({name, attributes_, self_closing});
  }
  return at + 1;
}

}  // namespace fantail
