#include "worker/html/tag_traits.h"

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

// What tells a name from others of its size, for up to eight letters. Not a loop over the letters, nor a call
// of memcmp: every tag of a page is looked up, and their lengths cannot be foretold. Requires: not empty.
constexpr std::uint64_t key_of(std::string_view name) {
  const auto letter = [name](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(name[i])}; };
  const std::size_t size = name.size();
  if (size < 4) return letter(0) | letter(size / 2) << 8 | letter(size - 1) << 16 | std::uint64_t{size} << 24;
  const auto four = [letter](std::size_t i) {
    return letter(i) | letter(i + 1) << 8 | letter(i + 2) << 16 | letter(i + 3) << 24;
  };
  return four(0) | (four(size - 4) ^ size) << 32;
}

// A hash table without collisions: the multiplier is searched for.
constexpr std::size_t kSlotBits = 9;

struct Slots {
  std::uint64_t multiplier = 0;
  std::array<std::uint64_t, 1 << kSlotBits> keys{};
  std::array<std::uint8_t, 1 << kSlotBits> indices{};
};

constexpr std::size_t slot_of(std::uint64_t key, std::uint64_t multiplier) {
  return static_cast<std::size_t>(key * multiplier >> (64 - kSlotBits));
}

constexpr Slots without_collisions() {
  Slots slots;
  for (std::uint64_t multiplier = 0x9E3779B97F4A7C15;; multiplier += 0x2545F4914F6CDD1E) {
    slots = {multiplier, {}, {}};
    bool collides = false;
    for (std::size_t i = 0; i < std::size(kTraits) && !collides; ++i) {
      const std::uint64_t key = key_of(kTraits[i].name);
      const std::size_t slot = slot_of(key, multiplier);
      collides = slots.keys[slot] != 0;
      slots.keys[slot] = key;
      slots.indices[slot] = static_cast<std::uint8_t>(i);
    }
    if (!collides) return slots;
  }
}

constexpr Slots kSlots = without_collisions();

constexpr TagTraits kUnknown{};

}  // namespace

const TagTraits& tag_traits(std::string_view name) {
  if (name.empty()) return kUnknown;
  const std::uint64_t key = key_of(name);
  const std::size_t slot = slot_of(key, kSlots.multiplier);
  if (kSlots.keys[slot] != key) return kUnknown;
  const TagTraits& traits = kTraits[kSlots.indices[slot]];
  const bool is_this = name.size() == traits.name.size() && (name.size() <= 8 || name == traits.name);
  return is_this ? traits : kUnknown;
}

}  // namespace fantail
