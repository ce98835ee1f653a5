// The tokenizer's states within a tag.

#include "worker/html/byte_search.h"
#include "worker/html/tokenizer.h"

namespace fantail {

const char* Tokenizer::step_tag(const char* begin, const char* end) {
  switch (state_) {
    case State::kTagOpen:
      return read_tag_open(begin);
    case State::kEndTagOpen:
      return read_end_tag_open(begin);
    case State::kTagName:
      return read_tag_name(begin, end);
    case State::kBeforeAttributeName:
      return read_before_attribute_name(begin);
    case State::kAttributeName:
      return read_attribute_name(begin, end);
    case State::kAfterAttributeName:
      return read_after_attribute_name(begin);
    case State::kBeforeAttributeValue:
      return read_before_attribute_value(begin);
    case State::kAttributeValueDoubleQuoted:
      return read_quoted_attribute_value(begin, end, '"');
    case State::kAttributeValueSingleQuoted:
      return read_quoted_attribute_value(begin, end, '\'');
    case State::kAttributeValueUnquoted:
      return read_unquoted_attribute_value(begin, end);
    case State::kAfterAttributeValueQuoted:
      return read_after_attribute_value(begin);
    default:
      return read_self_closing(begin);
  }
}

const char* Tokenizer::read_tag_open(const char* begin) {
  if (is_ascii_alpha(*begin)) {
    begin_tag(false);
    return begin;
  }
  switch (*begin) {
    case '/':
      state_ = State::kEndTagOpen;
      return begin + 1;
    case '!':
      begin_comment(State::kMarkupDeclaration);
      return begin + 1;
    case '?':
      begin_comment(State::kBogusComment);
      return begin;
    default:
      report_text("<");
      state_ = State::kText;
      return begin;
  }
}

const char* Tokenizer::read_end_tag_open(const char* begin) {
  if (is_ascii_alpha(*begin)) {
    begin_tag(true);
  } else if (*begin == '>') {
    state_ = State::kText;
    return begin + 1;
  } else {
    begin_comment(State::kBogusComment);
  }
  return begin;
}

void Tokenizer::begin_tag(bool is_end_tag) {
  tag_.begin(is_end_tag);
  state_ = State::kTagName;
}

const char* Tokenizer::read_tag_name(const char* begin, const char* end) {
  const char* stop = kEndsTagName.find(begin, end);
  tag_.append_name({begin, stop});
  if (stop == end) return end;
  if (!tag_.is_end_tag() && handler_.wants_attributes(tag_.name())) tag_.keep_attributes();
  if (*stop == '>') {
    finish_tag(false);
  } else {
    state_ = *stop == '/' ? State::kSelfClosingStartTag : State::kBeforeAttributeName;
  }
  return stop + 1;
}

void Tokenizer::finish_tag(bool self_closing) {
  if (tag_.is_end_tag()) {
    report_end_tag(tag_.name());
  } else {
    report_start_tag(tag_.start_tag(self_closing));
  }
}

void Tokenizer::report_start_tag(const StartTag& tag) {
  state_ = State::kText;
  script_escape_ = ScriptEscape::kNone;
  model_ = ContentModel::kData;
  const ContentModel model = handler_.on_start_tag(tag);
  if (model != ContentModel::kData) start_in(model, tag.name);
}

void Tokenizer::report_end_tag(std::string_view name) {
  state_ = State::kText;
  script_escape_ = ScriptEscape::kNone;
  model_ = ContentModel::kData;
  handler_.on_end_tag(name);
}

const char* Tokenizer::read_before_attribute_name(const char* begin) {
  if (kHtmlSpace.contains(*begin)) return begin + 1;
  if (*begin == '/' || *begin == '>') {
    state_ = State::kAfterAttributeName;
    return begin;
  }
  tag_.begin_attribute();
  state_ = State::kAttributeName;
  if (*begin != '=') return begin;
  // A '=' that begins a name belongs to it.
  tag_.append_attribute_name("=");
  return begin + 1;
}

const char* Tokenizer::read_attribute_name(const char* begin, const char* end) {
  const char* stop = kEndsAttributeName.find(begin, end);
  tag_.append_attribute_name({begin, stop});
  if (stop == end) return end;
  if (*stop == '=') {
    state_ = State::kBeforeAttributeValue;
    return stop + 1;
  }
  state_ = State::kAfterAttributeName;
  return stop;
}

const char* Tokenizer::read_after_attribute_name(const char* begin) {
  if (kHtmlSpace.contains(*begin)) return begin + 1;
  switch (*begin) {
    case '/':
      state_ = State::kSelfClosingStartTag;
      return begin + 1;
    case '=':
      state_ = State::kBeforeAttributeValue;
      return begin + 1;
    case '>':
      finish_tag(false);
      return begin + 1;
    default:
      tag_.begin_attribute();
      state_ = State::kAttributeName;
      return begin;
  }
}

const char* Tokenizer::read_before_attribute_value(const char* begin) {
  if (kHtmlSpace.contains(*begin)) return begin + 1;
  switch (*begin) {
    case '"':
      state_ = State::kAttributeValueDoubleQuoted;
      return begin + 1;
    case '\'':
      state_ = State::kAttributeValueSingleQuoted;
      return begin + 1;
    case '>':
      finish_tag(false);
      return begin + 1;
    default:
      state_ = State::kAttributeValueUnquoted;
      return begin;
  }
}

const char* Tokenizer::read_quoted_attribute_value(const char* begin, const char* end, char quote) {
  const char* stop = find_byte(begin, end, quote);
  tag_.append_attribute_value({begin, stop});
  if (stop == end) return end;
  state_ = State::kAfterAttributeValueQuoted;
  return stop + 1;
}

const char* Tokenizer::read_unquoted_attribute_value(const char* begin, const char* end) {
  const char* stop = kEndsUnquotedValue.find(begin, end);
  tag_.append_attribute_value({begin, stop});
  if (stop == end) return end;
  if (*stop == '>') {
    finish_tag(false);
  } else {
    state_ = State::kBeforeAttributeName;
  }
  return stop + 1;
}

const char* Tokenizer::read_after_attribute_value(const char* begin) {
  if (*begin == '>') {
    finish_tag(false);
    return begin + 1;
  }
  state_ = *begin == '/' ? State::kSelfClosingStartTag : State::kBeforeAttributeName;
  return *begin == '/' ? begin + 1 : begin;
}

const char* Tokenizer::read_self_closing(const char* begin) {
  if (*begin == '>') {
    finish_tag(true);
    return begin + 1;
  }
  state_ = State::kBeforeAttributeName;
  return begin;
}

}  // namespace fantail
