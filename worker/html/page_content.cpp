#include "worker/html/page_content.h"

#include "pipeline/url/utf8.h"
#include "worker/html/byte_search.h"
#include "worker/html/utf8.h"

namespace fantail {
namespace {

// A character may be cut at the limit; what is stored beyond it tells where it ends.
constexpr std::size_t kStoredTitleBytes = PageContent::kMaxTitleBytes + 4;

bool is_silent(TagRole role) {
  return role == TagRole::kTitle || role == TagRole::kStyle || role == TagRole::kScript;
}

}  // namespace

bool PageContent::wants_attributes(std::string_view tag_name) {
  const TagRole role = tag_traits(tag_name).role;
  return role == TagRole::kLink || role == TagRole::kBase;
}

ContentModel PageContent::on_start_tag(const StartTag& tag) {
  words_.end_word();
  const TagTraits& traits = tag_traits(tag.name);
  if (foreign_.active() && traits.leaves_foreign) {
    foreign_.leave_for_html();
    silent_element_ = TagRole::kNone;
  }
  const bool foreign = foreign_.active();
  if (traits.role == TagRole::kLink || (traits.role == TagRole::kBase && !foreign)) collect_link(traits, tag);
  if (foreign) {
    on_foreign_start_tag(traits, tag.self_closing);
    return ContentModel::kData;
  }
  on_html_start_tag(traits);
  if (!tag.self_closing) foreign_.enter(traits.role);
  return traits.content_model;
}

void PageContent::on_foreign_start_tag(const TagTraits& traits, bool self_closing) {
  if (self_closing) return;
  if (is_silent(traits.role)) silent_element_ = traits.role;
  foreign_.enter(traits.role);
}

void PageContent::on_html_start_tag(const TagTraits& traits) {
  switch (traits.role) {
    case TagRole::kTemplate:
      ++open_templates_;
      break;
    case TagRole::kNoscript:
      ++open_noscripts_;
      break;
    case TagRole::kBody:
      open_noscripts_ = 0;  // one left open in the head ends there
      break;
    case TagRole::kTitle:
      if (title_state_ == TitleState::kNotSeen && open_templates_ == 0) title_state_ = TitleState::kOpen;
      break;
    default:
      break;
  }
  if (is_silent(traits.role)) silent_element_ = traits.role;
}

void PageContent::collect_link(const TagTraits& traits, const StartTag& tag) {
  const Attribute* href = tag.find("href");
  if (href == nullptr || open_templates_ > 0) return;
  const std::string_view value = href->value(href_);
  if (traits.role == TagRole::kBase) {
    links_.set_base(value);
  } else {
    links_.add(value);
  }
}

void PageContent::on_end_tag(std::string_view name) {
  words_.end_word();
  const TagRole role = tag_traits(name).role;
  if (role == TagRole::kNone) return;
  if (role == silent_element_) {
    silent_element_ = TagRole::kNone;
    if (title_state_ == TitleState::kOpen) title_state_ = TitleState::kDone;
  }
  if (role == TagRole::kTemplate && open_templates_ > 0) --open_templates_;
  if (role == TagRole::kNoscript && open_noscripts_ > 0) --open_noscripts_;
  if (role == TagRole::kHead) open_noscripts_ = 0;
  if (foreign_.leave(role)) silent_element_ = TagRole::kNone;
}

void PageContent::on_characters(std::string_view text) {
  if (title_state_ == TitleState::kOpen) append_to_title(text);
  // Text anywhere else than in these is in the body: where the head is still open, such text ends it.
  if (silent_element_ == TagRole::kNone && open_templates_ == 0 && open_noscripts_ == 0) words_.count(text);
}

void PageContent::append_to_title(std::string_view text) {
  for (const char byte : text) {
    if (title_.size() >= kStoredTitleBytes) return;
    if (!kHtmlSpace.contains(byte)) {
      title_ += byte;
    } else if (!title_.empty() && title_.back() != ' ') {
      title_ += ' ';
    }
  }
}

std::string PageContent::title() const {
  std::string title(truncate_utf8(to_valid_utf8(title_), kMaxTitleBytes));
  if (title.ends_with(' ')) title.pop_back();
  return title;
}

std::uint64_t PageContent::words() {
  words_.end_word();
  return words_.words();
}

}  // namespace fantail
