// The tokenizer's states outside tags: text in its content models, character references, escaped scripts,
// CDATA sections.

#include <algorithm>

#include "worker/html/byte_search.h"
#include "worker/html/character_reference.h"
#include "worker/html/entities.h"
#include "worker/html/tokenizer.h"
#include "worker/html/utf8.h"

namespace fantail {
namespace {

// "&#x" and eight digits: more of them say no more.
constexpr std::size_t kEnoughForAnyNumber = 11;

}  // namespace

const char* Tokenizer::step_text(const char* begin, const char* end) {
  switch (state_) {
    case State::kCharacterReference:
      return read_character_reference(begin, end);
    case State::kRawLessThan:
      return read_raw_less_than(begin);
    case State::kRawEndTagOpen:
    case State::kRawEndTagName:
      return read_raw_end_tag_name(begin);
    case State::kScriptEscapeStart:
    case State::kScriptEscapeStartDash:
      return read_script_escape_start(begin);
    case State::kScriptDoubleEscape:
      return read_script_double_escape(begin);
    case State::kCdataSection:
      return read_cdata(begin, end);
    case State::kCdataBracket:
    case State::kCdataEnd:
      return read_cdata_end(begin);
    default:
      return read_text(begin, end);
  }
}

void Tokenizer::report_text(std::string_view text) {
  // NUL stays in ordinary text (the handler's tree would drop it) and is replaced elsewhere.
  const bool replace_nul = model_ != ContentModel::kData;
  while (!text.empty()) {
    const std::size_t nul = replace_nul ? text.find('\0') : std::string_view::npos;
    const std::string_view piece = text.substr(0, nul);
    if (!piece.empty()) handler_.on_characters(piece);
    if (nul == std::string_view::npos) return;
    handler_.on_characters(kReplacementCharacter);
    text.remove_prefix(nul + 1);
  }
}

const char* Tokenizer::read_text(const char* begin, const char* end) {
  const char* stop = end;
  const bool has_references = model_ == ContentModel::kData || model_ == ContentModel::kRcdata;
  if (has_references) {
    stop = find_either(begin, end, '<', '&');
  } else if (script_escape_ != ScriptEscape::kNone) {
    stop = skip_escaped_script(begin, end);
  } else if (model_ != ContentModel::kPlaintext) {
    stop = find_byte(begin, end, '<');
  }
  report_text({begin, stop});
  if (stop == end) return end;
  if (*stop == '<' && model_ == ContentModel::kData) {
    state_ = State::kTagOpen;
    return read_whole_tag(stop + 1, end);
  }
  if (*stop == '&') {
    pending_.assign(1, '&');
    state_ = State::kCharacterReference;
  } else {
    state_ = State::kRawLessThan;
  }
  return stop + 1;
}

const char* Tokenizer::skip_escaped_script(const char* begin, const char* end) {
  for (; begin != end && *begin != '<'; ++begin) {
    if (*begin == '>' && script_dashes_ == 2) {
      script_escape_ = ScriptEscape::kNone;
      script_dashes_ = 0;
      return find_byte(begin, end, '<');
    }
    script_dashes_ = *begin == '-' ? std::min(script_dashes_ + 1, 2) : 0;
  }
  if (begin != end) script_dashes_ = 0;
  return begin;
}

const char* Tokenizer::read_character_reference(const char* begin, const char* end) {
  while (begin != end && character_reference_goes_on(*begin)) {
    add_to_character_reference(*begin);
    ++begin;
  }
  if (begin != end) finish_character_reference();
  return begin;
}

bool Tokenizer::character_reference_goes_on(char byte) const {
  const std::size_t size = pending_.size();
  if (pending_.back() == ';') return false;
  if (size == 1) return byte == '#' || is_ascii_alphanumeric(byte);
  if (pending_[1] != '#') return (is_ascii_alphanumeric(byte) || byte == ';') && size <= kLongestEntityName;
  if (byte == ';') return true;
  const bool hexadecimal = size > 2 && to_ascii_lower(pending_[2]) == 'x';
  if (size == 2 && to_ascii_lower(byte) == 'x') return true;
  return hexadecimal ? ascii_hex_value(byte) >= 0 : is_ascii_digit(byte);
}

void Tokenizer::add_to_character_reference(char byte) {
  const bool digit_of_number = pending_.size() > 2 && pending_[1] == '#' && byte != ';';
  if (digit_of_number) {
    // A number may have any length: leading zeros are dropped and so are digits beyond any code point's size.
    if (pending_ == "&#0" || pending_ == "&#x0" || pending_ == "&#X0") pending_.pop_back();
    if (pending_.size() >= kEnoughForAnyNumber) return;
  }
  pending_ += byte;
}

void Tokenizer::finish_character_reference() {
  state_ = State::kText;
  std::string decoded;
  const std::size_t taken = decode_character_reference(pending_, ReferencePlace::kText, decoded);
  report_text(decoded);
  report_text(std::string_view(pending_).substr(taken));
}

const char* Tokenizer::read_raw_less_than(const char* begin) {
  const bool escaped = script_escape_ == ScriptEscape::kEscaped;
  const bool double_escaped = script_escape_ == ScriptEscape::kDoubleEscaped;
  pending_.clear();
  if (*begin == '/' && !double_escaped) {
    state_ = State::kRawEndTagOpen;
    return begin + 1;
  }
  report_text("<");
  state_ = State::kText;
  if (*begin == '/') {
    report_text("/");
    state_ = State::kScriptDoubleEscape;
    return begin + 1;
  }
  if (escaped && is_ascii_alpha(*begin)) {
    state_ = State::kScriptDoubleEscape;
  } else if (model_ == ContentModel::kScriptData && !escaped && !double_escaped && *begin == '!') {
    report_text("!");
    state_ = State::kScriptEscapeStart;
    return begin + 1;
  }
  return begin;
}

const char* Tokenizer::read_raw_end_tag_name(const char* begin) {
  // Goes on only while this can still become the end tag that is waited for.
  const std::size_t size = pending_.size();
  if (size < last_start_tag_.size() && is_ascii_alpha(*begin) &&
      to_ascii_lower(*begin) == last_start_tag_[size]) {
    pending_ += *begin;
    state_ = State::kRawEndTagName;
    return begin + 1;
  }
  if (size > 0 && size == last_start_tag_.size() && kEndsTagName.contains(*begin)) {
    begin_tag(true);
    tag_.append_name(pending_);
    return begin;
  }
  report_text("</");
  report_text(pending_);
  state_ = State::kText;
  return begin;
}

const char* Tokenizer::read_script_escape_start(const char* begin) {
  if (*begin != '-') {
    state_ = State::kText;
    return begin;
  }
  report_text("-");
  if (state_ == State::kScriptEscapeStart) {
    state_ = State::kScriptEscapeStartDash;
  } else {
    state_ = State::kText;
    script_escape_ = ScriptEscape::kEscaped;
    script_dashes_ = 2;
  }
  return begin + 1;
}

const char* Tokenizer::read_script_double_escape(const char* begin) {
  static constexpr std::string_view kScript = "script";
  if (is_ascii_alpha(*begin)) {
    if (pending_.size() <= kScript.size()) pending_ += *begin;
  } else {
    state_ = State::kText;
    if (!kEndsTagName.contains(*begin)) return begin;
    if (equals_ignoring_case(pending_, kScript)) {
      const bool escaped = script_escape_ == ScriptEscape::kEscaped;
      script_escape_ = escaped ? ScriptEscape::kDoubleEscaped : ScriptEscape::kEscaped;
    }
  }
  report_text({begin, 1});
  return begin + 1;
}

const char* Tokenizer::read_cdata(const char* begin, const char* end) {
  const char* bracket = find_byte(begin, end, ']');
  report_text({begin, bracket});
  if (bracket == end) return end;
  state_ = State::kCdataBracket;
  return bracket + 1;
}

const char* Tokenizer::read_cdata_end(const char* begin) {
  if (*begin == ']') {
    if (state_ == State::kCdataEnd) report_text("]");
    state_ = State::kCdataEnd;
    return begin + 1;
  }
  if (*begin == '>' && state_ == State::kCdataEnd) {
    state_ = State::kText;
    return begin + 1;
  }
  report_text(state_ == State::kCdataEnd ? "]]" : "]");
  state_ = State::kCdataSection;
  return begin;
}

}  // namespace fantail
