// Finds the word that somebody meant who made a typing mistake.
#pragma once

#include <span>
#include <string_view>

namespace fantail {

// The known word with the fewest single-character changes from the given one; empty if it takes more than
// two, or a change of half the word.
std::string_view closest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace fantail
