#include "worker/html/link_collector.h"

#include <optional>
#include <utility>

#include "worker/html/byte_search.h"

namespace fantail {
namespace {

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
  const std::string_view scheme = href.substr(0, href.find_first_of(":/?"));
  if (scheme.size() == href.size() || href[scheme.size()] != ':' || !is_ascii_alpha(href[0])) return false;
  for (const char byte : scheme) {
    if (!is_ascii_alphanumeric(byte) && byte != '+' && byte != '-' && byte != '.') return false;
  }
  return !equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https");
}

}  // namespace

void LinkCollector::set_base(std::string href) {
  if (std::exchange(has_base_, true)) return;
  base_ = std::move(href);
}

void LinkCollector::add(std::string_view href) {
  href = significant_part(href);
  if (hrefs_.size() >= kMaxLinks || bytes_ + href.size() > kMaxBytes) return;
  if (has_other_scheme(href) || seen_.contains(href)) return;
  seen_.emplace(href);
  hrefs_.emplace_back(href);
  bytes_ += href.size();
}

std::vector<std::string> LinkCollector::resolve(const Url& page_url) const {
  std::optional<Url> base = parse_url(base_, &page_url);
  if (!base || base->scheme == "data" || base->scheme == "javascript") base = page_url;
  std::vector<std::string> links;
  std::set<std::string, std::less<>> seen;
  std::size_t bytes = 0;
  for (const std::string& href : hrefs_) {
    const std::optional<Url> url = parse_url(href, &*base);
    if (!url || !url->is_http()) continue;
    std::string link = url->href_without_fragment();
    // A long base makes each short href a long link.
    if (bytes + link.size() > kMaxBytes) break;
    if (!seen.insert(link).second) continue;
    bytes += link.size();
    links.push_back(std::move(link));
  }
  return links;
}

}  // namespace fantail
