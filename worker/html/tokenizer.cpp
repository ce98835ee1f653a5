#include "worker/html/tokenizer.h"

#include <algorithm>
#include <utility>

#include "worker/html/byte_search.h"

namespace fantail {

void Tokenizer::start_in(ContentModel model, std::string_view last_start_tag) {
  const bool cdata = model == ContentModel::kCdataSection;
  state_ = cdata ? State::kCdataSection : State::kText;
  model_ = cdata ? ContentModel::kData : model;
  script_escape_ = ScriptEscape::kNone;
  script_dashes_ = 0;
  last_start_tag_ = last_start_tag;
}

void Tokenizer::feed(std::string_view text) {
  // CR LF and CR become LF before anything else sees them: the text is run in stretches without CR.
  static constexpr char kLineFeed = '\n';
  const char* begin = text.data();
  const char* const end = begin + text.size();
  while (begin != end) {
    if (std::exchange(skip_line_feed_, false) && *begin == kLineFeed) {
      ++begin;
      continue;
    }
    const char* carriage_return = find_byte(begin, end, '\r');
    run(begin, carriage_return);
    if (carriage_return == end) break;
    run(&kLineFeed, &kLineFeed + 1);
    skip_line_feed_ = true;
    begin = carriage_return + 1;
  }
}

void Tokenizer::run(const char* begin, const char* end) {
  while (begin != end)
    begin = step(begin, end);
}

const char* Tokenizer::step(const char* begin, const char* end) {
  if (state_ <= State::kCdataEnd) return step_text(begin, end);
  if (state_ <= State::kSelfClosingStartTag) return step_tag(begin, end);
  return step_markup(begin, end);
}

void Tokenizer::finish() {
  switch (state_) {
    case State::kCharacterReference:
      finish_character_reference();
      break;
    case State::kTagOpen:
    case State::kRawLessThan:
      report_text("<");
      break;
    case State::kEndTagOpen:
    case State::kRawEndTagOpen:
      report_text("</");
      break;
    case State::kRawEndTagName:
      report_text("</");
      report_text(pending_);
      break;
    case State::kCdataBracket:
      report_text("]");
      break;
    case State::kCdataEnd:
      report_text("]]");
      break;
    case State::kMarkupDeclaration:
    case State::kBogusComment:
    case State::kCommentStart:
    case State::kCommentStartDash:
    case State::kComment:
    case State::kCommentEndDash:
    case State::kCommentEnd:
    case State::kCommentEndBang:
      finish_comment();
      break;
    case State::kDoctype:
      finish_doctype(false);
      break;
    default:
      break;  // Text has been reported already; a tag without its '>' is none.
  }
}

void Tokenizer::store(std::string_view text) {
  pending_ += text.substr(0, kMaxStoredBytes - std::min(kMaxStoredBytes, pending_.size()));
}

}  // namespace fantail
