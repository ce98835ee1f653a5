// The tokenizer's states after "<!": comments, the doctype, the beginning of a CDATA section; and bogus
// comments.

#include <algorithm>

#include "worker/html/byte_search.h"
#include "worker/html/doctype.h"
#include "worker/html/tokenizer.h"
#include "worker/html/utf8.h"

namespace fantail {
namespace {

constexpr std::string_view kCommentOpener = "--";
constexpr std::string_view kDoctypeOpener = "doctype";
constexpr std::string_view kCdataOpener = "[CDATA[";

bool begins_ignoring_case(std::string_view lower_case, std::string_view text) {
  return equals_ignoring_case(text, lower_case.substr(0, text.size()));
}

}  // namespace

const char* Tokenizer::step_markup(const char* begin, const char* end) {
  switch (state_) {
    case State::kMarkupDeclaration:
      return read_markup_declaration(begin);
    case State::kBogusComment:
      return read_bogus_comment(begin, end);
    case State::kCommentStart:
    case State::kCommentStartDash:
      return read_comment_start(begin);
    case State::kComment:
      return read_comment(begin, end);
    case State::kDoctype:
      return read_doctype(begin, end);
    default:
      return read_comment_end(begin);
  }
}

const char* Tokenizer::read_markup_declaration(const char* begin) {
  pending_ += *begin;
  if (pending_ == kCommentOpener) {
    begin_comment(State::kCommentStart);
  } else if (equals_ignoring_case(pending_, kDoctypeOpener)) {
    begin_comment(State::kDoctype);
  } else if (pending_ == kCdataOpener) {
    if (handler_.allows_cdata()) {
      state_ = State::kCdataSection;
    } else {
      state_ = State::kBogusComment;
    }
  } else if (!kCommentOpener.starts_with(pending_) && !kCdataOpener.starts_with(pending_) &&
             !begins_ignoring_case(kDoctypeOpener, pending_)) {
    pending_.pop_back();
    state_ = State::kBogusComment;
    return begin;
  }
  return begin + 1;
}

void Tokenizer::begin_comment(State state) {
  pending_.clear();
  state_ = state;
}

void Tokenizer::finish_comment() {
  state_ = State::kText;
  if (pending_.find('\0') == std::string::npos) {
    handler_.on_comment(pending_);
    return;
  }
  std::string text;
  for (const char byte : pending_) {
    if (byte == '\0') {
      text += kReplacementCharacter;
    } else {
      text += byte;
    }
  }
  handler_.on_comment(text);
}

const char* Tokenizer::read_bogus_comment(const char* begin, const char* end) {
  const char* stop = find_byte(begin, end, '>');
  store({begin, stop});
  if (stop == end) return end;
  finish_comment();
  return stop + 1;
}

const char* Tokenizer::read_comment_start(const char* begin) {
  const bool after_dash = state_ == State::kCommentStartDash;
  if (*begin == '-') {
    state_ = after_dash ? State::kCommentEnd : State::kCommentStartDash;
    return begin + 1;
  }
  if (*begin == '>') {
    finish_comment();
    return begin + 1;
  }
  if (after_dash) store("-");
  state_ = State::kComment;
  return begin;
}

const char* Tokenizer::read_comment(const char* begin, const char* end) {
  // The standard's states after a '<' within a comment differ in the errors they report only.
  const char* dash = find_byte(begin, end, '-');
  store({begin, dash});
  if (dash == end) return end;
  state_ = State::kCommentEndDash;
  return dash + 1;
}

const char* Tokenizer::read_comment_end(const char* begin) {
  if (state_ == State::kCommentEndDash) {
    if (*begin == '-') {
      state_ = State::kCommentEnd;
      return begin + 1;
    }
    store("-");
  } else if (*begin == '>') {
    finish_comment();
    return begin + 1;
  } else if (state_ == State::kCommentEndBang) {
    store("--!");
    if (*begin == '-') {
      state_ = State::kCommentEndDash;
      return begin + 1;
    }
  } else {
    if (*begin == '!') {
      state_ = State::kCommentEndBang;
      return begin + 1;
    }
    if (*begin == '-') {
      store("-");
      return begin + 1;
    }
    store("--");
  }
  state_ = State::kComment;
  return begin;
}

const char* Tokenizer::read_doctype(const char* begin, const char* end) {
  const char* stop = find_byte(begin, end, '>');
  store({begin, stop});
  if (stop == end) return end;
  finish_doctype(true);
  return stop + 1;
}

void Tokenizer::finish_doctype(bool closed) {
  state_ = State::kText;
  handler_.on_doctype(parse_doctype(pending_, closed));
}

}  // namespace fantail
