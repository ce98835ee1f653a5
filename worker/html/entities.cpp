#include "worker/html/entities.h"

#include <algorithm>
#include <iterator>

namespace fantail {
namespace {

constexpr Entity kEntities[] = {
#include "worker/html/entities_table.inc"
};

static_assert(std::is_sorted(std::begin(kEntities), std::end(kEntities),
                             [](const Entity& left, const Entity& right) { return left.name < right.name; }));
static_assert(std::all_of(std::begin(kEntities), std::end(kEntities),
                          [](const Entity& entity) { return entity.name.size() <= kLongestEntityName; }));

}  // namespace

const Entity* find_longest_entity(std::string_view text) {
  // All names that share the first i bytes with the text are neighbours: narrow that range byte by byte. A
  // name that is used up sorts first in its range.
  const Entity* begin = std::begin(kEntities);
  const Entity* end = std::end(kEntities);
  const Entity* longest = nullptr;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    begin = std::partition_point(begin, end, [i, byte](const Entity& entity) {
      return entity.name.size() <= i || entity.name[i] < byte;
    });
    end =
        std::partition_point(begin, end, [i, byte](const Entity& entity) { return entity.name[i] == byte; });
    if (begin == end) break;
    if (begin->name.size() == i + 1) longest = begin;
  }
  return longest;
}

}  // namespace fantail
