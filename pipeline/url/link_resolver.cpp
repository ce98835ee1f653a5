#include "pipeline/url/link_resolver.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "pipeline/url/ascii.h"
#include "pipeline/url/percent.h"

namespace fantail {
namespace {

enum class PathByte : unsigned char { kPlain, kSlash, kQuery, kOther };

constexpr auto kPathBytes = [] {
  std::array<PathByte, 256> bytes{};
  for (std::size_t byte = 0; byte < bytes.size(); ++byte)
    bytes[byte] = kPathEncodeSet[byte] || byte == '\\' ? PathByte::kOther : PathByte::kPlain;
  bytes['/'] = PathByte::kSlash;
  bytes['?'] = PathByte::kQuery;
  return bytes;
}();

bool is_plain_query(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return kSpecialQueryEncodeSet[static_cast<unsigned char>(c)]; });
}

// Whether the parser takes this path and query, which begins with a segment, as it is: no segment is "." or
// ".." in any spelling. Says no also to other segments that begin like one.
bool is_plain_path(std::string_view text) {
  bool begins_segment = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (kPathBytes[static_cast<unsigned char>(text[i])]) {
      case PathByte::kPlain:
        if (begins_segment && (text[i] == '.' || text[i] == '%')) return false;
        begins_segment = false;
        break;
      case PathByte::kSlash:
        begins_segment = true;
        break;
      case PathByte::kQuery:
        return is_plain_query(text.substr(i + 1));
      case PathByte::kOther:
        return false;
    }
  }
  return true;
}

// Whether the parser takes this host as it is: lower case, and no IPv4 address in any spelling, since its
// last label begins with a letter.
bool is_plain_host(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || is_ascii_digit(c) || c == '-' || c == '.';
  };
  const std::string_view last_label = text.substr(text.rfind('.') + 1);
  return !last_label.empty() && is_ascii_alpha(last_label[0]) &&
         std::all_of(text.begin(), text.end(), is_plain);
}

// Without its last segment, if it has one.
std::string_view parent(std::string_view directory, std::size_t origin_size) {
  if (directory.size() <= origin_size + 1) return directory;
  return directory.substr(0, directory.rfind('/', directory.size() - 2) + 1);
}

}  // namespace

LinkResolver::LinkResolver(Url base) : base_(std::move(base)) {
  Url page = base_;
  page.query.reset();
  page_ = page.href_without_fragment();
  origin_size_ = page_.size() - base_.path.size();
  directory_size_ = page_.rfind('/') + 1;
}

bool LinkResolver::resolve(std::string_view href, std::string& link) const {
  link.clear();
  if (resolve_plain(href, link)) return true;
  const std::optional<Url> url = parse_url(href, &base_);
  if (!url || !url->is_http()) return false;
  link = url->href_without_fragment();
  return true;
}

bool LinkResolver::resolve_plain(std::string_view href, std::string& link) const {
  if (!base_.is_http() || href.empty()) return false;
  const std::string_view page = page_;
  if (href[0] == '?') {
    if (!is_plain_query(href.substr(1))) return false;
    link.append(page).append(href);
    return true;
  }
  if (href[0] == '/') {
    if (href.starts_with("//") || !is_plain_path(href.substr(1))) return false;
    link.append(page.substr(0, origin_size_)).append(href);
    return true;
  }
  if (href.starts_with("http://") || href.starts_with("https://")) {
    const std::size_t host = href.find('/') + 2;
    const std::size_t path = std::min(href.find('/', host), href.size());
    if (!is_plain_host(href.substr(host, path - host))) return false;
    if (path < href.size() && !is_plain_path(href.substr(path + 1))) return false;
    link.append(href);
    if (path == href.size()) link += '/';
    return true;
  }
  std::string_view directory = page.substr(0, directory_size_);
  for (; href.starts_with("../"); href.remove_prefix(3))
    directory = parent(directory, origin_size_);
  // A colon in the first segment may end a scheme.
  if (href.substr(0, href.find('/')).find(':') != std::string_view::npos || !is_plain_path(href))
    return false;
  link.append(directory).append(href);
  return true;
}

}  // namespace fantail
