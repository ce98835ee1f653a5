// Decodes "&amp;", "&#8364;", "&#x20AC;": one reference, or all of an attribute's value. Works on complete
// text; that a reference may be cut by a chunk's end is the tokenizer's concern.
// https://html.spec.whatwg.org/multipage/parsing.html#character-reference-state
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fantail {

enum class ReferencePlace { kText, kAttribute };

// Requires: text begins with '&'. Appends the reference's characters to `decoded` and returns the bytes it
// took; returns 0 and appends nothing where there is no reference.
std::size_t decode_character_reference(std::string_view text, ReferencePlace place, std::string& decoded);

// An attribute's value as written, with its references decoded and NUL replaced: in `buffer`, or the raw
// value itself where there is nothing to do.
std::string_view decode_attribute_value(std::string_view raw_value, std::string& buffer);

}  // namespace fantail
