// Counts the words and lines of a byte stream that arrives in buffers. A word is a run of bytes other than
// space, \t, \n, \v, \f and \r; a line is a newline byte. It knows no encodings: bytes beyond ASCII belong to
// words, as in wc's C locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace fantail {

struct Counts {
  std::uint64_t words = 0;
  std::uint64_t lines = 0;
  bool in_word = false;  // the last byte belonged to a word, which may go on in the next buffer

  bool operator==(const Counts&) const = default;
};

// Adds what the buffer holds.
void count(std::span<const std::byte> bytes, Counts& counts);

// The two ways to count; count() takes the faster one that this processor has. They are visible for tests.
void count_portable(std::span<const std::byte> bytes, Counts& counts);
bool avx2_is_available();
// Requires: avx2_is_available().
void count_avx2(std::span<const std::byte> bytes, Counts& counts);

}  // namespace fantail
