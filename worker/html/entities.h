// The named character references of HTML ("amp;", "nbsp", ...). Knows names and their text only, not where in
// a page a reference may stand. The table is generated from Python's html.entities.html5.
// https://html.spec.whatwg.org/multipage/named-characters.html
#pragma once

#include <cstddef>
#include <string_view>

namespace fantail {

struct Entity {
  std::string_view name;  // without '&'; the ';' belongs to it where the reference needs one
  std::string_view text;  // UTF-8
};

inline constexpr std::size_t kLongestEntityName = 32;  // "CounterClockwiseContourIntegral;"

// The longest entity whose name begins `text`, or null.
const Entity* find_longest_entity(std::string_view text);

}  // namespace fantail
