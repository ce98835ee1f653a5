#include "worker/html/word_counter.h"

#include <algorithm>
#include <cstring>

#include "worker/html/byte_search.h"

namespace fantail {
namespace {

constexpr ByteSet kAsciiSpace{"\t\n\v\f\r "};
// The first bytes of the white space characters beyond ASCII.
constexpr ByteSet kSpaceLead{"\xC2\xE1\xE2\xE3"};

enum class SpaceMatch { kNo, kCutOff, kYes };

// Whether the text begins with a white space character beyond ASCII: U+0085 U+00A0 U+1680 U+2000-200A U+2028
// U+2029 U+202F U+205F U+3000. Their UTF-8 has two bytes after the lead byte C2 and three after the others.
SpaceMatch match_space(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.size() < 2) return SpaceMatch::kCutOff;
  const unsigned prefix = byte(0) * 256U + byte(1);
  if (byte(0) == 0xC2) return prefix == 0xC285 || prefix == 0xC2A0 ? SpaceMatch::kYes : SpaceMatch::kNo;
  if (prefix != 0xE19A && prefix != 0xE280 && prefix != 0xE281 && prefix != 0xE380) return SpaceMatch::kNo;
  if (text.size() < 3) return SpaceMatch::kCutOff;
  const unsigned char last = byte(2);
  bool is_space = last == 0x80;
  if (prefix == 0xE280)
    is_space = (last >= 0x80 && last <= 0x8A) || last == 0xA8 || last == 0xA9 || last == 0xAF;
  if (prefix == 0xE281) is_space = last == 0x9F;
  return is_space ? SpaceMatch::kYes : SpaceMatch::kNo;
}

std::size_t space_size(char lead) {
  return lead == '\xC2' ? 2 : 3;
}

constexpr std::ptrdiff_t kBlockSize = 16;

#ifdef __SSE2__
constexpr std::ptrdiff_t kLeastTail = 4;

// Of 16 bits. Without the instruction, which not every machine has, std::popcount is a call.
unsigned count_bits(unsigned bits) {
  bits -= bits >> 1 & 0x5555;
  bits = (bits & 0x3333) + (bits >> 2 & 0x3333);
  bits = (bits + (bits >> 4)) & 0x0F0F;
  return (bits + (bits >> 8)) & 0x1F;
}

// One bit for each byte: whether it is white space.
unsigned space_bits(__m128i block) {
  const __m128i controls = _mm_and_si128(_mm_cmpgt_epi8(block, _mm_set1_epi8('\t' - 1)),
                                         _mm_cmplt_epi8(block, _mm_set1_epi8('\r' + 1)));
  const __m128i spaces = _mm_or_si128(controls, _mm_cmpeq_epi8(block, _mm_set1_epi8(' ')));
  return static_cast<unsigned>(_mm_movemask_epi8(spaces));
}

template <typename Word>
std::uint64_t load(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The bytes with zeros behind, read as two words that may overlap. Requires: 4 <= size < 16.
__m128i load_tail(const char* begin, std::size_t size) {
  const char* const end = begin + size;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (size >= 8) {
    low = load<std::uint64_t>(begin);
    if (size > 8) high = load<std::uint64_t>(end - 8) >> (8 * (16 - size));
  } else {
    low = load<std::uint32_t>(begin) | load<std::uint32_t>(end - 4) << (8 * (size - 4));
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}
#endif

}  // namespace

void WordCounter::count(std::string_view text) {
  const char* begin = text.data();
  const char* const end = begin + text.size();
  if (held_size_ > 0) begin = complete_held_bytes(begin, end);
  while (begin != end) {
    begin = count_ascii(begin, end);
    const char* const stop = begin + std::min<std::ptrdiff_t>(end - begin, kBlockSize);
    while (begin < stop) {
      if (kSpaceLead.contains(*begin)) {
        begin = count_lead_byte(begin, end);
      } else {
        add(kAsciiSpace.contains(*begin));
        ++begin;
      }
    }
  }
}

void WordCounter::end_word() {
  if (held_size_ > 0) add(false);
  held_size_ = 0;
  in_word_ = false;
}

#ifdef __SSE2__
// Returns where a block with other bytes than ASCII begins, or the last few bytes.
const char* WordCounter::count_ascii(const char* begin, const char* end) {
  for (; end - begin >= kBlockSize; begin += kBlockSize) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin));
    if (_mm_movemask_epi8(block) != 0) return begin;
    count_block(space_bits(block), 16);
  }
  if (end - begin < kLeastTail) return begin;
  const __m128i tail = load_tail(begin, static_cast<std::size_t>(end - begin));
  if (_mm_movemask_epi8(tail) != 0) return begin;
  count_block(space_bits(tail), static_cast<std::size_t>(end - begin));
  return end;
}
#else
const char* WordCounter::count_ascii(const char* begin, const char*) {
  return begin;
}
#endif

void WordCounter::count_block(unsigned spaces, std::size_t size) {
  // A word begins at each byte that is no space and follows one.
  const unsigned follows_space = (spaces << 1) | (in_word_ ? 0U : 1U);
  const unsigned block = (1U << size) - 1;
  words_ += count_bits(~spaces & follows_space & block);
  in_word_ = (spaces >> (size - 1) & 1U) == 0;
}

const char* WordCounter::count_lead_byte(const char* begin, const char* end) {
  switch (match_space({begin, end})) {
    case SpaceMatch::kYes:
      add(true);
      return begin + space_size(*begin);
    case SpaceMatch::kNo:
      add(false);
      return begin + 1;
    default:
      held_size_ = static_cast<std::size_t>(end - begin);
      std::copy(begin, end, held_.begin());
      return end;
  }
}

const char* WordCounter::complete_held_bytes(const char* begin, const char* end) {
  for (; begin != end; ++begin) {
    held_[held_size_] = *begin;
    const SpaceMatch match = match_space({held_.data(), held_size_ + 1});
    if (match == SpaceMatch::kCutOff) {
      ++held_size_;
      continue;
    }
    held_size_ = 0;
    add(match == SpaceMatch::kYes);
    // Where it was no space after all, this byte is still to be looked at.
    return match == SpaceMatch::kYes ? begin + 1 : begin;
  }
  return end;
}

}  // namespace fantail
