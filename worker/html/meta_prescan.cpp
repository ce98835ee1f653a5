#include "worker/html/meta_prescan.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "worker/html/byte_search.h"

namespace fantail {
namespace {

constexpr ByteSet kSpaceOrSlash{"\t\n\f\r /"};
constexpr ByteSet kSpaceOrGreater{"\t\n\f\r >"};
constexpr ByteSet kEndsMetaAttributeName{"\t\n\f\r />="};
constexpr ByteSet kEndsContentCharset{"\t\n\f\r ;"};

struct MetaAttribute {
  std::string name;  // lower case, as is the value
  std::string value;
};

// A position in the bytes that knows how far there is to go. Reading past the end yields NUL, which no rule
// asks for.
class Cursor {
 public:
  explicit Cursor(std::string_view rest) : rest_(rest) {}
  bool at_end() const { return rest_.empty(); }
  char front() const { return rest_.empty() ? '\0' : rest_.front(); }
  std::string_view rest() const { return rest_; }
  void advance(std::size_t size) { rest_.remove_prefix(std::min(size, rest_.size())); }
  void skip(const ByteSet& set) {
    while (!at_end() && set.contains(front()))
      advance(1);
  }
  std::string_view take_until(const ByteSet& set) {
    const char* begin = rest_.data();
    const auto size = static_cast<std::size_t>(set.find(begin, begin + rest_.size()) - begin);
    const std::string_view taken = rest_.substr(0, size);
    advance(size);
    return taken;
  }
  // Everything before `mark`, and the mark itself; everything when it does not come.
  std::string_view take_through(std::string_view mark) {
    const std::size_t size = std::min(rest_.find(mark), rest_.size());
    const std::string_view taken = rest_.substr(0, size);
    advance(size + mark.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

std::optional<MetaAttribute> take_attribute(Cursor& cursor) {
  cursor.skip(kSpaceOrSlash);
  if (cursor.at_end() || cursor.front() == '>') return std::nullopt;
  MetaAttribute attribute;
  if (cursor.front() == '=') {
    attribute.name = "=";
    cursor.advance(1);
  }
  attribute.name += to_ascii_lower(cursor.take_until(kEndsMetaAttributeName));
  cursor.skip(kHtmlSpace);
  if (cursor.front() != '=') return attribute;
  cursor.advance(1);
  cursor.skip(kHtmlSpace);
  const char quote = cursor.front();
  if (quote == '"' || quote == '\'') {
    cursor.advance(1);
    attribute.value = to_ascii_lower(cursor.take_through({&quote, 1}));
  } else {
    attribute.value = to_ascii_lower(cursor.take_until(kSpaceOrGreater));
  }
  return attribute;
}

// The encoding in `text/html; charset=...`, the content attribute of a meta element.
const Encoding* encoding_of_meta_content(std::string_view content) {
  static constexpr std::string_view kCharset = "charset";
  for (std::size_t at = content.find(kCharset); at != std::string_view::npos; at = content.find(kCharset)) {
    content.remove_prefix(at + kCharset.size());
    Cursor cursor(content);
    cursor.skip(kHtmlSpace);
    if (cursor.front() != '=') continue;
    cursor.advance(1);
    cursor.skip(kHtmlSpace);
    const char quote = cursor.front();
    if (quote != '"' && quote != '\'') return find_encoding(cursor.take_until(kEndsContentCharset));
    cursor.advance(1);
    const bool closed = cursor.rest().find(quote) != std::string_view::npos;
    return closed ? find_encoding(cursor.take_through({&quote, 1})) : nullptr;
  }
  return nullptr;
}

const Encoding* encoding_of_meta(Cursor& cursor) {
  std::vector<std::string> seen;
  bool has_pragma = false;
  bool needs_pragma = false;
  const Encoding* encoding = nullptr;
  while (const std::optional<MetaAttribute> attribute = take_attribute(cursor)) {
    if (std::find(seen.begin(), seen.end(), attribute->name) != seen.end()) continue;
    seen.push_back(attribute->name);
    if (attribute->name == "http-equiv") {
      has_pragma = attribute->value == "content-type";
    } else if (attribute->name == "content" && encoding == nullptr) {
      encoding = encoding_of_meta_content(attribute->value);
      needs_pragma = encoding != nullptr;
    } else if (attribute->name == "charset") {
      encoding = find_encoding(attribute->value);
      needs_pragma = false;
    }
  }
  // A tag that the end of the bytes cuts off declares nothing.
  if (cursor.at_end()) return nullptr;
  return needs_pragma && !has_pragma ? nullptr : encoding;
}

// "<?xml version='1.0' encoding='...'?>".
const Encoding* encoding_of_xml_declaration(std::string_view bytes) {
  static constexpr std::string_view kEncoding = "encoding";
  if (!bytes.starts_with("<?xml")) return nullptr;
  const std::string_view declaration = bytes.substr(0, bytes.find('>'));
  const std::size_t at = declaration.find(kEncoding);
  if (declaration.size() == bytes.size() || at == std::string_view::npos) return nullptr;
  Cursor cursor(declaration.substr(at + kEncoding.size()));
  cursor.skip(kHtmlSpace);
  if (cursor.front() != '=') return nullptr;
  cursor.advance(1);
  cursor.skip(kHtmlSpace);
  const char quote = cursor.front();
  cursor.advance(1);
  if ((quote != '"' && quote != '\'') || cursor.rest().find(quote) == std::string_view::npos) return nullptr;
  return find_encoding(cursor.take_through({&quote, 1}));
}

bool is_meta_tag(std::string_view bytes) {
  static constexpr std::string_view kMeta = "<meta";
  return bytes.size() > kMeta.size() && equals_ignoring_case(bytes.substr(0, kMeta.size()), kMeta) &&
         kSpaceOrSlash.contains(bytes[kMeta.size()]);
}

// Skips a tag; a '>' in a quoted attribute does not end it.
void skip_tag(Cursor& cursor) {
  cursor.take_until(kSpaceOrGreater);
  while (take_attribute(cursor)) {
  }
}

}  // namespace

const Encoding* prescan_for_encoding(std::string_view bytes) {
  for (Cursor cursor(bytes); !cursor.at_end(); cursor.advance(1)) {
    cursor.take_until(ByteSet{"<"});
    const std::string_view rest = cursor.rest();
    if (rest.size() < 2) break;
    if (rest.starts_with("<!--")) {
      // Stops at the '>'. "<!-->" is a whole comment.
      cursor.advance(std::min(rest.find("-->", 2), rest.size()) + 2);
      continue;
    }
    if (is_meta_tag(rest)) {
      cursor.advance(5);
      if (const Encoding* encoding = encoding_of_meta(cursor)) return encoding;
    } else if (is_ascii_alpha(rest[1]) || (rest[1] == '/' && rest.size() > 2 && is_ascii_alpha(rest[2]))) {
      skip_tag(cursor);
    } else if (rest[1] == '!' || rest[1] == '/' || rest[1] == '?') {
      cursor.take_until(ByteSet{">"});
    }
  }
  return encoding_of_xml_declaration(bytes);
}

}  // namespace fantail
