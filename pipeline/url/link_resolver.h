// Resolves the many links of one page against its base. Most hrefs are plain: "/a/b.html?c=d", "b.html",
// "https://example.com/a", in characters that the parser would copy as they are. Those are put together from
// prefixes of the base without being parsed; all others go through the parser.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pipeline/url/url.h"

namespace fantail {

class LinkResolver {
 public:
  explicit LinkResolver(Url base);

  // Writes the URL without fragment into `link`; false when it is none of http or https, and `link` has no
  // meaning then. Requires: the href is without fragment.
  bool resolve(std::string_view href, std::string& link) const;

 private:
  bool resolve_plain(std::string_view href, std::string& link) const;

  Url base_;
  std::string page_;                // the base without query and fragment
  std::size_t origin_size_ = 0;     // of its part before the path
  std::size_t directory_size_ = 0;  // up to the last slash, with it
};

}  // namespace fantail
