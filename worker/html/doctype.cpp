#include "worker/html/doctype.h"

#include "worker/html/byte_search.h"
#include "worker/html/utf8.h"

namespace fantail {
namespace {

constexpr std::size_t kKeywordSize = 6;  // PUBLIC, SYSTEM

std::string without_nul(std::string_view text) {
  std::string result;
  for (const char byte : text) {
    if (byte == '\0') {
      result += kReplacementCharacter;
    } else {
      result += byte;
    }
  }
  return result;
}

void skip_space(std::string_view& text) {
  while (!text.empty() && kHtmlSpace.contains(text.front()))
    text.remove_prefix(1);
}

std::string take_name(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && !kHtmlSpace.contains(text[size]))
    ++size;
  std::string name = without_nul(text.substr(0, size));
  for (char& byte : name)
    byte = to_ascii_lower(byte);
  text.remove_prefix(size);
  return name;
}

struct Identifier {
  std::optional<std::string> text;  // nothing: no quote stood here
  bool complete = false;            // its closing quote was there
};

Identifier take_identifier(std::string_view& text) {
  if (text.empty() || (text.front() != '"' && text.front() != '\'')) return {};
  const std::size_t close = text.find(text.front(), 1);
  const bool complete = close != std::string_view::npos;
  Identifier identifier{without_nul(complete ? text.substr(1, close - 1) : text.substr(1)), complete};
  text.remove_prefix(complete ? close + 1 : text.size());
  return identifier;
}

}  // namespace

Doctype parse_doctype(std::string_view text, bool closed) {
  Doctype doctype;
  // Each early return below leaves a malformed or an unfinished doctype: those force quirks.
  doctype.force_quirks = true;
  skip_space(text);
  if (text.empty()) return doctype;
  doctype.name = take_name(text);
  skip_space(text);
  if (text.empty()) {
    doctype.force_quirks = !closed;
    return doctype;
  }
  const std::string_view keyword = text.substr(0, kKeywordSize);
  const bool is_public = equals_ignoring_case(keyword, "public");
  if (!is_public && !equals_ignoring_case(keyword, "system")) return doctype;
  text.remove_prefix(kKeywordSize);
  skip_space(text);
  if (is_public) {
    Identifier identifier = take_identifier(text);
    doctype.public_identifier = std::move(identifier.text);
    if (!identifier.complete) return doctype;
    skip_space(text);
    if (text.empty()) {
      doctype.force_quirks = !closed;
      return doctype;
    }
  }
  Identifier identifier = take_identifier(text);
  doctype.system_identifier = std::move(identifier.text);
  if (!identifier.complete) return doctype;
  skip_space(text);
  // What follows the system identifier is ignored, and does not force quirks.
  doctype.force_quirks = text.empty() && !closed;
  return doctype;
}

}  // namespace fantail
