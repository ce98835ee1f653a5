// Finding the next interesting byte in a stretch of text: the inner loops of the tokenizer. They know bytes
// only, neither HTML nor characters.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "pipeline/url/ascii.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace fantail {

// A set of bytes with constant-time membership.
class ByteSet {
 public:
  constexpr explicit ByteSet(std::string_view members) {
    for (const char member : members)
      contains_[static_cast<unsigned char>(member)] = true;
  }
  constexpr bool contains(char byte) const { return contains_[static_cast<unsigned char>(byte)]; }
  // The first member in [begin, end), or end.
  constexpr const char* find(const char* begin, const char* end) const {
    while (begin != end && !contains(*begin))
      ++begin;
    return begin;
  }
  // The first byte in [begin, end) that is no member, or end.
  constexpr const char* find_other(const char* begin, const char* end) const {
    while (begin != end && contains(*begin))
      ++begin;
    return begin;
  }

 private:
  std::array<bool, 256> contains_{};
};

// White space between the parts of a tag.
inline constexpr ByteSet kHtmlSpace{"\t\n\f\r "};
// What ends a part of a tag where carriage returns are line feeds already.
inline constexpr ByteSet kEndsTagName{"\t\n\f />"};
inline constexpr ByteSet kEndsAttributeName{"\t\n\f />="};
inline constexpr ByteSet kEndsUnquotedValue{"\t\n\f >"};

// The first `byte` in [begin, end), or end.
inline const char* find_byte(const char* begin, const char* end, char byte) {
  if (begin == end) return end;
  const void* found = std::memchr(begin, byte, static_cast<std::size_t>(end - begin));
  return found == nullptr ? end : static_cast<const char*>(found);
}

// The first `first` or `second` in [begin, end), or end. Two memchr in turn would be quadratic where one of
// them is rare.
inline const char* find_either(const char* begin, const char* end, char first, char second) {
#ifdef __SSE2__
  const __m128i firsts = _mm_set1_epi8(first);
  const __m128i seconds = _mm_set1_epi8(second);
  for (; end - begin >= 16; begin += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin));
    const __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(block, firsts), _mm_cmpeq_epi8(block, seconds));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits));
    if (mask != 0) return begin + std::countr_zero(mask);
  }
#endif
  while (begin != end && *begin != first && *begin != second)
    ++begin;
  return begin;
}

// The first byte in [begin, end) that may end a name within a tag: '/', '>', `also`, or one that is no more
// than a blank; or end. Names are short, and a loop that goes by bytes is mispredicted at the end of each.
inline const char* find_name_end(const char* begin, const char* end, char also) {
#ifdef __SSE2__
  for (; end - begin >= 16; begin += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(' ')), block);
    const __m128i ends =
        _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('/')), _mm_cmpeq_epi8(block, _mm_set1_epi8('>')));
    const __m128i hits = _mm_or_si128(_mm_or_si128(low, ends), _mm_cmpeq_epi8(block, _mm_set1_epi8(also)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hits));
    if (mask != 0) return begin + std::countr_zero(mask);
  }
#endif
  while (begin != end && static_cast<unsigned char>(*begin) > ' ' && *begin != '/' && *begin != '>' &&
         *begin != also)
    ++begin;
  return begin;
}

// Writes `size` bytes in lower case, and perhaps others behind them. Requires: size <= 16, and room for 16
// bytes.
inline void copy_lower_case(const char* begin, const char* end, std::size_t size, char* target) {
#ifdef __SSE2__
  if (end - begin >= 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin));
    const __m128i is_upper = _mm_and_si128(_mm_cmpgt_epi8(block, _mm_set1_epi8('A' - 1)),
                                           _mm_cmplt_epi8(block, _mm_set1_epi8('Z' + 1)));
    const __m128i bit = _mm_and_si128(is_upper, _mm_set1_epi8('a' - 'A'));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(target), _mm_or_si128(block, bit));
    return;
  }
#else
  static_cast<void>(end);
#endif
  for (std::size_t i = 0; i < size; ++i)
    target[i] = to_ascii_lower(begin[i]);
}

constexpr bool is_ascii_alphanumeric(char byte) {
  return is_ascii_alpha(byte) || is_ascii_digit(byte);
}

// Whether `text` is `lower_case` but for the case of ASCII letters.
constexpr bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (to_ascii_lower(text[i]) != lower_case[i]) return false;
  }
  return true;
}

}  // namespace fantail
