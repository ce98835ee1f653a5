// Counts words in UTF-8 text that comes in pieces: runs of characters other than Unicode white space. Bytes
// that are not UTF-8 belong to words. Knows no HTML.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fantail {

class WordCounter {
 public:
  // The next piece; it may begin and end within a word and within a character.
  void count(std::string_view text);
  // What follows is another word.
  void end_word();
  std::uint64_t words() const { return words_; }

 private:
  const char* count_ascii(const char* begin, const char* end);
  const char* count_lead_byte(const char* begin, const char* end);
  const char* complete_held_bytes(const char* begin, const char* end);
  void count_block(unsigned spaces, std::size_t size);
  void add(bool is_space) {
    words_ += !is_space && !in_word_;
    in_word_ = !is_space;
  }

  std::uint64_t words_ = 0;
  bool in_word_ = false;
  // The beginning of a character that may turn out to be white space, cut off by the end of a piece.
  std::array<char, 3> held_{};
  std::size_t held_size_ = 0;
};

}  // namespace fantail
