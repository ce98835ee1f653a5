#include "worker/html/link_collector.h"

#include <optional>
#include <string>
#include <utility>

#include "pipeline/url/link_resolver.h"
#include "worker/html/byte_search.h"

namespace fantail {
namespace {

constexpr ByteSet kSchemeBytes{"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."};

// The href without fragment and without the white space around it, which URLs ignore. A '#' begins the
// fragment wherever it stands.
std::string_view significant_part(std::string_view href) {
  href = href.substr(0, href.find('#'));
  while (!href.empty() && kHtmlSpace.contains(href.front()))
    href.remove_prefix(1);
  while (!href.empty() && kHtmlSpace.contains(href.back()))
    href.remove_suffix(1);
  return href;
}

// Whether the href names a scheme that no link we report can have ("mailto:", "javascript:"): those need no
// memory.
bool has_other_scheme(std::string_view href) {
  const char* const end = href.data() + href.size();
  const char* const scheme_end = kSchemeBytes.find_other(href.data(), end);
  if (scheme_end == end || *scheme_end != ':' || !is_ascii_alpha(href[0])) return false;
  const std::string_view scheme(href.data(), scheme_end);
  return !equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https");
}

}  // namespace

void LinkCollector::set_base(std::string_view href) {
  if (std::exchange(has_base_, true)) return;
  base_ = href;
}

void LinkCollector::add(std::string_view href) {
  href = significant_part(href);
  const StringList& hrefs = hrefs_.list();
  if (hrefs.size() >= kMaxLinks || hrefs.bytes() + href.size() > kMaxBytes || has_other_scheme(href)) return;
  hrefs_.add(href);
}

StringList LinkCollector::resolve(const Url& page_url) const {
  std::optional<Url> base = parse_url(base_, &page_url);
  if (!base || base->scheme == "data" || base->scheme == "javascript") base = page_url;
  const LinkResolver resolver(*std::move(base));
  DistinctStrings links;
  std::string link;
  for (std::size_t i = 0; i < hrefs_.list().size(); ++i) {
    if (!resolver.resolve(hrefs_.list()[i], link)) continue;
    // A long base makes each short href a long link.
    if (links.list().bytes() + link.size() > kMaxBytes) break;
    links.add(link);
  }
  return std::move(links).take();
}

}  // namespace fantail
