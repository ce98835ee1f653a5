// What the tokenizer reports: tags, text, comments, the doctype, and the handler that takes them. Views are
// valid during the call only. Knows nothing of how tokens are found.
// https://html.spec.whatwg.org/multipage/parsing.html#tokenization
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fantail {

// How the text after a start tag is read. kCdataSection: as if "<![CDATA[" had just been read.
enum class ContentModel : std::uint8_t { kData, kRcdata, kRawtext, kScriptData, kPlaintext, kCdataSection };

struct Attribute {
  std::string_view name;       // lower case
  std::string_view raw_value;  // as written, between the quotes

  // With the character references decoded: in `buffer`, or as written where there are none.
  std::string_view value(std::string& buffer) const;
};

struct StartTag {
  std::string_view name;                  // lower case
  std::span<const Attribute> attributes;  // in order; only the first of a repeated name
  bool self_closing = false;

  const Attribute* find(std::string_view attribute_name) const;  // null when absent
};

struct Doctype {
  std::optional<std::string> name;  // lower case
  std::optional<std::string> public_identifier;
  std::optional<std::string> system_identifier;
  bool force_quirks = false;
};

class TokenHandler {
 public:
  virtual ~TokenHandler() = default;
  // Whether the start tag of this name shall be reported with its attributes: those of others are skipped
  // unread.
  virtual bool wants_attributes(std::string_view tag_name) = 0;
  // Whether "<![CDATA[" begins a section here (only in SVG and MathML) or a bogus comment.
  virtual bool allows_cdata() = 0;
  // Returns how the text after this tag is to be read.
  virtual ContentModel on_start_tag(const StartTag& tag) = 0;
  virtual void on_end_tag(std::string_view name) = 0;
  // A piece of text; a run of text comes in any number of pieces, cut anywhere, also within a character.
  virtual void on_characters(std::string_view text) = 0;
  virtual void on_comment(std::string_view text) = 0;
  virtual void on_doctype(const Doctype& doctype) = 0;
};

}  // namespace fantail
