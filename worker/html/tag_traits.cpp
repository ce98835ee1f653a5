#include "worker/html/tag_traits.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace fantail {
namespace {

using Model = ContentModel;
using Role = TagRole;

constexpr bool kLeavesForeign = true;

constexpr TagTraits plain_html(std::string_view name) {
  return {name, Role::kNone, Model::kData, kLeavesForeign};
}

constexpr TagTraits kTraits[] = {
    {"a", Role::kLink},
    {"area", Role::kLink},
    plain_html("b"),
    {"base", Role::kBase},
    plain_html("big"),
    plain_html("blockquote"),
    {"body", Role::kBody, Model::kData, kLeavesForeign},
    plain_html("br"),
    plain_html("center"),
    plain_html("code"),
    plain_html("dd"),
    {"desc", Role::kDescription},
    plain_html("div"),
    plain_html("dl"),
    plain_html("dt"),
    plain_html("em"),
    plain_html("embed"),
    {"foreignobject", Role::kForeignObject},
    plain_html("h1"),
    plain_html("h2"),
    plain_html("h3"),
    plain_html("h4"),
    plain_html("h5"),
    plain_html("h6"),
    {"head", Role::kHead, Model::kData, kLeavesForeign},
    plain_html("hr"),
    plain_html("i"),
    {"iframe", Role::kNone, Model::kRawtext},
    plain_html("img"),
    plain_html("li"),
    plain_html("listing"),
    {"math", Role::kMath},
    plain_html("menu"),
    plain_html("meta"),
    plain_html("nobr"),
    {"noembed", Role::kNone, Model::kRawtext},
    {"noframes", Role::kNone, Model::kRawtext},
    {"noscript", Role::kNoscript},
    plain_html("ol"),
    plain_html("p"),
    {"plaintext", Role::kNone, Model::kPlaintext},
    plain_html("pre"),
    plain_html("ruby"),
    plain_html("s"),
    {"script", Role::kScript, Model::kScriptData},
    plain_html("small"),
    plain_html("span"),
    plain_html("strike"),
    plain_html("strong"),
    {"style", Role::kStyle, Model::kRawtext},
    plain_html("sub"),
    plain_html("sup"),
    {"svg", Role::kSvg},
    plain_html("table"),
    {"template", Role::kTemplate},
    {"textarea", Role::kNone, Model::kRcdata},
    {"title", Role::kTitle, Model::kRcdata},
    plain_html("tt"),
    plain_html("u"),
    plain_html("ul"),
    plain_html("var"),
    {"xmp", Role::kNone, Model::kRawtext},
};

static_assert(std::is_sorted(std::begin(kTraits), std::end(kTraits),
                             [](const TagTraits& left, const TagTraits& right) {
                               return left.name < right.name;
                             }));

// Where the names with each first letter begin: every tag of a page is looked up, most of them more than
// once.
constexpr auto kLetterBegins = [] {
  std::array<std::uint8_t, 27> begins{};
  for (std::size_t letter = 0; letter < begins.size(); ++letter) {
    while (begins[letter] < std::size(kTraits) &&
           static_cast<std::size_t>(kTraits[begins[letter]].name[0] - 'a') < letter) {
      ++begins[letter];
    }
  }
  return begins;
}();

constexpr TagTraits kUnknown{};

}  // namespace

const TagTraits& tag_traits(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return kUnknown;
  const auto letter = static_cast<std::size_t>(name[0] - 'a');
  for (std::size_t i = kLetterBegins[letter]; i < kLetterBegins[letter + 1]; ++i) {
    if (kTraits[i].name == name) return kTraits[i];
  }
  return kUnknown;
}

}  // namespace fantail
