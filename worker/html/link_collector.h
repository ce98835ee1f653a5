// The links of a page: collected as written, resolved when the page is over, for only then the base URL is
// certain. Knows URLs, not tags.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pipeline/url/url.h"
#include "worker/html/string_list.h"

namespace fantail {

class LinkCollector {
 public:
  // What a page with more or longer links has beyond that is left out.
  static constexpr std::size_t kMaxLinks = 10'000;
  static constexpr std::size_t kMaxBytes = 4 << 20;

  // The href of the page's base element; only the first one counts.
  void set_base(std::string_view href);
  void add(std::string_view href);

  // http and https only, without fragments, each once, in order of first appearance.
  StringList resolve(const Url& page_url) const;

 private:
  bool has_base_ = false;
  std::string base_;
  DistinctStrings hrefs_;  // without fragments
};

}  // namespace fantail
