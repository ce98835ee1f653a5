// The WHATWG HTML tokenizer: UTF-8 text in, in chunks of any size, tokens out. The tokens do not depend on
// the chunking (but for the cuts within runs of text), time is linear and memory bounded whatever the text
// is. Builds no tree; which content model an element has is the handler's knowledge. Bytes that are not UTF-8
// pass through. https://html.spec.whatwg.org/multipage/parsing.html#tokenization
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "worker/html/tag_builder.h"
#include "worker/html/token.h"

namespace fantail {

class Tokenizer {
 public:
  // A longer comment or doctype is reported cut off.
  static constexpr std::size_t kMaxStoredBytes = 64 << 10;

  // The handler outlives the tokenizer.
  explicit Tokenizer(TokenHandler& handler) : handler_(handler) {}

  // Starts in another content model than kData, as after a start tag of this name.
  void start_in(ContentModel model, std::string_view last_start_tag);

  void feed(std::string_view text);
  // The end of the page: reports what is left. Nothing may be fed afterwards.
  void finish();

 private:
  // The standard's states, but for these: RCDATA, RAWTEXT and script data share the states kRaw..., told
  // apart by model_; the escaped script states are kText with a script_escape_; a doctype and a character
  // reference are collected first and taken apart then; states that differ in parse errors only are one.
  enum class State : std::uint8_t {
    kText,
    kCharacterReference,
    kRawLessThan,
    kRawEndTagOpen,
    kRawEndTagName,
    kScriptEscapeStart,
    kScriptEscapeStartDash,
    kScriptDoubleEscape,
    kCdataSection,
    kCdataBracket,
    kCdataEnd,
    kTagOpen,
    kEndTagOpen,
    kTagName,
    kBeforeAttributeName,
    kAttributeName,
    kAfterAttributeName,
    kBeforeAttributeValue,
    kAttributeValueDoubleQuoted,
    kAttributeValueSingleQuoted,
    kAttributeValueUnquoted,
    kAfterAttributeValueQuoted,
    kSelfClosingStartTag,
    kMarkupDeclaration,
    kBogusComment,
    kCommentStart,
    kCommentStartDash,
    kComment,
    kCommentEndDash,
    kCommentEnd,
    kCommentEndBang,
    kDoctype,
  };
  enum class ScriptEscape : std::uint8_t { kNone, kEscaped, kDoubleEscaped };

  void run(const char* begin, const char* end);
  // Each of these handles the text from `begin` in the current state, takes at least one byte or leaves the
  // state, and returns where it stopped.
  const char* step(const char* begin, const char* end);
  const char* step_text(const char* begin, const char* end);
  const char* step_tag(const char* begin, const char* end);
  const char* step_markup(const char* begin, const char* end);

  const char* read_text(const char* begin, const char* end);
  const char* skip_escaped_script(const char* begin, const char* end);
  const char* read_character_reference(const char* begin, const char* end);
  bool character_reference_goes_on(char byte) const;
  void add_to_character_reference(char byte);
  void finish_character_reference();
  const char* read_raw_less_than(const char* begin);
  const char* read_raw_end_tag_name(const char* begin);
  const char* read_script_escape_start(const char* begin);
  const char* read_script_double_escape(const char* begin);
  const char* read_cdata(const char* begin, const char* end);
  const char* read_cdata_end(const char* begin);

  const char* read_tag_open(const char* begin);
  const char* read_end_tag_open(const char* begin);
  const char* read_tag_name(const char* begin, const char* end);
  const char* read_before_attribute_name(const char* begin);
  const char* read_attribute_name(const char* begin, const char* end);
  const char* read_after_attribute_name(const char* begin);
  const char* read_before_attribute_value(const char* begin);
  const char* read_quoted_attribute_value(const char* begin, const char* end, char quote);
  const char* read_unquoted_attribute_value(const char* begin, const char* end);
  const char* read_after_attribute_value(const char* begin);
  const char* read_self_closing(const char* begin);
  void begin_tag(bool is_end_tag);
  void finish_tag(bool self_closing);
  void report_start_tag(const StartTag& tag);
  void report_end_tag(std::string_view name);
  // After a '<': returns where the tag ends, having reported it; or `begin` when it takes the states to read
  // it.
  const char* read_whole_tag(const char* begin, const char* end);

  const char* read_markup_declaration(const char* begin);
  const char* read_bogus_comment(const char* begin, const char* end);
  const char* read_comment_start(const char* begin);
  const char* read_comment(const char* begin, const char* end);
  const char* read_comment_end(const char* begin);
  const char* read_doctype(const char* begin, const char* end);
  void begin_comment(State state);
  void finish_comment();
  void finish_doctype(bool closed);

  void report_text(std::string_view text);
  void store(std::string_view text);

  TokenHandler& handler_;
  State state_ = State::kText;
  ContentModel model_ = ContentModel::kData;
  ScriptEscape script_escape_ = ScriptEscape::kNone;
  int script_dashes_ = 0;        // dashes in a row just before, in an escaped script; 2 stands for more
  bool skip_line_feed_ = false;  // the last chunk ended in a carriage return
  TagBuilder tag_;
  std::vector<Attribute> attributes_;  // of a tag that is read whole; kept for its memory
  std::string last_start_tag_;         // its end tag ends RCDATA, RAWTEXT and script data
  std::string pending_;  // what has been read of a comment, a doctype, a reference or a possible end tag
};

}  // namespace fantail
