// What the page scanner has to know of an element by its name: the table that stands in for a tree builder.
// https://html.spec.whatwg.org/multipage/parsing.html#tree-construction
#pragma once

#include <cstdint>
#include <string_view>

#include "worker/html/token.h"

namespace fantail {

enum class TagRole : std::uint8_t {
  kNone,
  kLink,  // a, area
  kBase,
  kHead,
  kBody,
  kTitle,
  kTemplate,
  kNoscript,
  kStyle,
  kScript,
  kSvg,
  kMath,
  kForeignObject,  // HTML within SVG again
  kDescription,    // SVG's desc, likewise
};

struct TagTraits {
  std::string_view name;
  TagRole role = TagRole::kNone;
  ContentModel content_model = ContentModel::kData;
  bool leaves_foreign = false;  // its start tag ends unclosed SVG and MathML
};

// The traits of a lower-case name; those of an unknown one say nothing.
const TagTraits& tag_traits(std::string_view name);

}  // namespace fantail
