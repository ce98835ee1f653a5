// Gathers from a page's tokens what a row of the report says of it: title, words, links. Works without a
// tree: a few counters tell which text counts. Knows neither bytes nor encodings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipeline/url/url.h"
#include "worker/html/foreign_content.h"
#include "worker/html/link_collector.h"
#include "worker/html/string_list.h"
#include "worker/html/tag_traits.h"
#include "worker/html/token.h"
#include "worker/html/word_counter.h"

namespace fantail {

class PageContent : public TokenHandler {
 public:
  static constexpr std::size_t kMaxTitleBytes = 1024;

  bool wants_attributes(std::string_view tag_name) override;
  bool allows_cdata() override { return foreign_.active(); }
  ContentModel on_start_tag(const StartTag& tag) override;
  void on_end_tag(std::string_view name) override;
  void on_characters(std::string_view text) override;
  void on_comment(std::string_view) override {}
  void on_doctype(const Doctype&) override {}

  // The following hold when the page is over.

  // Valid UTF-8, at most kMaxTitleBytes, white space collapsed.
  std::string title() const;
  std::uint64_t words();
  StringList links(const Url& page_url) const { return links_.resolve(page_url); }

 private:
  void on_foreign_start_tag(const TagTraits& traits, bool self_closing);
  void on_html_start_tag(const TagTraits& traits);
  void collect_link(const TagTraits& traits, const StartTag& tag);
  void append_to_title(std::string_view text);

  ForeignContent foreign_;
  // The open title, style or script element, whose text is never words; kNone when there is none.
  TagRole silent_element_ = TagRole::kNone;
  std::uint64_t open_templates_ = 0;
  std::uint64_t open_noscripts_ = 0;
  enum class TitleState : std::uint8_t { kNotSeen, kOpen, kDone };
  TitleState title_state_ = TitleState::kNotSeen;
  std::string title_;  // perhaps malformed, and a few bytes longer than it will be
  std::string href_;   // decoded; kept for its memory
  WordCounter words_;
  LinkCollector links_;
};

}  // namespace fantail
