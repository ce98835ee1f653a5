#include "pipeline/closest_word.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace fantail {

namespace {

constexpr std::size_t kMaxChanges = 2;

// The Levenshtein distance, by the row-by-row method of Wagner and Fischer.
std::size_t changes_between(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view closest_word(std::string_view word, std::span<const std::string_view> known) {
  std::string_view closest;
  std::size_t fewest = kMaxChanges + 1;
  for (const std::string_view candidate : known) {
    // Words of very different length are far apart; skipping them bounds the work for endless words.
    if (word.size() > candidate.size() + kMaxChanges) continue;
    const std::size_t changes = changes_between(word, candidate);
    if (changes >= fewest || changes * 2 > candidate.size()) continue;
    fewest = changes;
    closest = candidate;
  }
  return closest;
}

}  // namespace fantail
