// Whether the page is within SVG or MathML, where <title>, <style> and <script> mean something else and
// "<![CDATA[" is known. Follows the borders only, not the elements in between.
// https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inforeign
#pragma once

#include <cstddef>
#include <vector>

#include "worker/html/tag_traits.h"

namespace fantail {

class ForeignContent {
 public:
  // Deeper borders are not followed.
  static constexpr std::size_t kMaxDepth = 64;

  bool active() const {
    return !borders_.empty() && (borders_.back() == TagRole::kSvg || borders_.back() == TagRole::kMath);
  }

  // A start tag that is not self-closing, of any role.
  void enter(TagRole role);
  // An end tag: leaves the innermost border of this role with all within, if there is one.
  bool leave(TagRole role);
  // An HTML start tag that cannot be within SVG or MathML.
  void leave_for_html();

 private:
  std::vector<TagRole> borders_;
};

}  // namespace fantail
