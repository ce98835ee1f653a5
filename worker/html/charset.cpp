#include "worker/html/charset.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "worker/html/byte_search.h"
#include "worker/html/meta_prescan.h"
#include "worker/html/utf8.h"

namespace fantail {
namespace {

constexpr Encoding kEncodings[] = {
#include "worker/html/charset_table.inc"
};

constexpr std::size_t kLongestLabel = 32;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && kHtmlSpace.contains(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && kHtmlSpace.contains(text.back()))
    text.remove_suffix(1);
  return text;
}

// Whether `word` is one of the words in `list`, which are separated by spaces.
bool is_in_list(std::string_view word, std::string_view list) {
  while (!list.empty()) {
    const std::string_view first = list.substr(0, list.find(' '));
    if (equals_ignoring_case(word, first)) return true;
    list.remove_prefix(std::min(list.size(), first.size() + 1));
  }
  return false;
}

const Encoding* known_encoding(std::string_view name) {
  const auto* found = std::find_if(std::begin(kEncodings), std::end(kEncodings),
                                   [name](const Encoding& encoding) { return encoding.name == name; });
  assert(found != std::end(kEncodings));
  return found;
}

// Takes the text up to `separator`, which may stand in a quoted string, off the front.
std::string_view take_parameter(std::string_view& text, char separator) {
  bool quoted = false;
  std::size_t size = 0;
  for (; size < text.size() && (quoted || text[size] != separator); ++size) {
    if (text[size] == '"') quoted = !quoted;
  }
  const std::string_view parameter = text.substr(0, size);
  text.remove_prefix(std::min(text.size(), size + 1));
  return parameter;
}

}  // namespace

const Encoding* find_encoding(std::string_view label) {
  label = trimmed(label);
  if (label.empty() || label.size() > kLongestLabel) return nullptr;
  const auto* found =
      std::find_if(std::begin(kEncodings), std::end(kEncodings),
                   [label](const Encoding& encoding) { return is_in_list(label, encoding.labels); });
  return found == std::end(kEncodings) ? nullptr : found;
}

const Encoding* encoding_of_content_type(std::string_view header) {
  take_parameter(header, ';');  // the media type
  while (!header.empty()) {
    const std::string_view parameter = take_parameter(header, ';');
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    if (!equals_ignoring_case(trimmed(parameter.substr(0, equals)), "charset")) continue;
    std::string_view value = trimmed(parameter.substr(equals + 1));
    // Some servers quote with '...', which browsers forgive.
    if (value.size() >= 2 && value.front() == value.back() &&
        (value.front() == '"' || value.front() == '\'')) {
      value = value.substr(1, value.size() - 2);
    }
    return find_encoding(value);
  }
  return nullptr;
}

DetectedEncoding detect_encoding(std::string_view first_bytes, std::string_view content_type_header) {
  first_bytes = first_bytes.substr(0, kSniffedBytes);
  if (first_bytes.starts_with("\xEF\xBB\xBF")) return {known_encoding("UTF-8"), 3};
  if (first_bytes.starts_with("\xFE\xFF")) return {known_encoding("UTF-16BE"), 2};
  if (first_bytes.starts_with("\xFF\xFE")) return {known_encoding("UTF-16LE"), 2};
  if (const Encoding* encoding = encoding_of_content_type(content_type_header)) return {encoding, 0};
  if (const Encoding* encoding = prescan_for_encoding(first_bytes)) {
    // A declaration that could be read as ASCII was not written in UTF-16.
    return {encoding->is_utf16() ? known_encoding("UTF-8") : encoding, 0};
  }
  return {known_encoding(is_utf8_beginning(first_bytes) ? "UTF-8" : "windows-1252"), 0};
}

}  // namespace fantail
