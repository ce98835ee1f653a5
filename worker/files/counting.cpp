#include "worker/files/counting.h"

#include <algorithm>
#include <cassert>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fantail {

void count_portable(std::span<const std::byte> bytes, Counts& counts) {
  std::uint64_t words = 0;
  std::uint64_t lines = 0;
  unsigned before = counts.in_word ? 1 : 0;
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    // \t, \n, \v, \f and \r are the five values from 9 on; smaller ones wrap around to large numbers.
    const unsigned inside = (value == ' ' || value - '\t' <= '\r' - '\t') ? 0 : 1;
    words += inside & ~before;
    lines += value == '\n' ? 1 : 0;
    before = inside;
  }
  counts.words += words;
  counts.lines += lines;
  counts.in_word = before != 0;
}

#if defined(__x86_64__)
namespace {

#define FANTAIL_AVX2 __attribute__((target("avx2,popcnt")))

// One bit for each of 64 bytes: the lowest bit is the first byte.
FANTAIL_AVX2 inline std::uint64_t bits_of(__m256i first, __m256i second) {
  const auto low = static_cast<std::uint32_t>(_mm256_movemask_epi8(first));
  const auto high = static_cast<std::uint32_t>(_mm256_movemask_epi8(second));
  return static_cast<std::uint64_t>(high) << 32 | low;
}

// All bits of a byte are set where it is white space. A table holds the white space character with each low
// half of a byte; the lookup gives 0 for bytes beyond ASCII, and so a byte is white space if it finds itself.
FANTAIL_AVX2 inline __m256i white_space(__m256i bytes) {
  const __m128i half =
      _mm_setr_epi8(' ', -1, -1, -1, -1, -1, -1, -1, -1, '\t', '\n', '\v', '\f', '\r', -1, -1);
  return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(half), bytes), bytes);
}

// The sum of the 32 bytes of each of many vectors, which is kept in four counters.
FANTAIL_AVX2 inline __m256i add_bytes(__m256i counters, __m256i bytes) {
  return _mm256_add_epi64(counters, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
}

FANTAIL_AVX2 inline std::uint64_t sum(__m256i counters) {
  return static_cast<std::uint64_t>(_mm256_extract_epi64(counters, 0)) +
         static_cast<std::uint64_t>(_mm256_extract_epi64(counters, 1)) +
         static_cast<std::uint64_t>(_mm256_extract_epi64(counters, 2)) +
         static_cast<std::uint64_t>(_mm256_extract_epi64(counters, 3));
}

}  // namespace

bool avx2_is_available() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

FANTAIL_AVX2 void count_avx2(std::span<const std::byte> bytes, Counts& counts) {
  assert(avx2_is_available());
  constexpr std::size_t kBlock = 64;
  // A byte counts the newlines at its place of that many blocks, two a block, without overflowing.
  constexpr std::size_t kStretch = 127 * kBlock;
  const __m256i newline = _mm256_set1_epi8('\n');
  const std::size_t whole = bytes.size() / kBlock * kBlock;
  std::uint64_t words = 0;
  __m256i lines = _mm256_setzero_si256();
  std::uint64_t outside_before = counts.in_word ? 0 : 1;
  for (std::size_t offset = 0; offset < whole;) {
    __m256i newlines = _mm256_setzero_si256();
    const std::size_t end = std::min(whole, offset + kStretch);
    for (; offset < end; offset += kBlock) {
      const auto* block = reinterpret_cast<const __m256i*>(bytes.data() + offset);
      const __m256i first = _mm256_loadu_si256(block);
      const __m256i second = _mm256_loadu_si256(block + 1);
      // A match is -1.
      newlines = _mm256_sub_epi8(newlines, _mm256_cmpeq_epi8(first, newline));
      newlines = _mm256_sub_epi8(newlines, _mm256_cmpeq_epi8(second, newline));
      const std::uint64_t outside = bits_of(white_space(first), white_space(second));
      // A word is counted at its first byte: the one whose neighbour before is outside.
      words += static_cast<std::uint64_t>(_mm_popcnt_u64(~outside & (outside << 1 | outside_before)));
      outside_before = outside >> 63;
    }
    lines = add_bytes(lines, newlines);
  }
  counts.words += words;
  counts.lines += sum(lines);
  counts.in_word = outside_before == 0;
  // Dirty upper halves of the registers slow down the SSE code that runs next (the hash) to a half or less,
  // and g++ does not clean them before the tail call below.
  _mm256_zeroupper();
  count_portable(bytes.subspan(whole), counts);
}

#undef FANTAIL_AVX2
#else

bool avx2_is_available() {
  return false;
}

void count_avx2(std::span<const std::byte> bytes, Counts& counts) {
  assert(false && "this machine has no AVX2");
  count_portable(bytes, counts);
}

#endif

void count(std::span<const std::byte> bytes, Counts& counts) {
  static const auto fastest = avx2_is_available() ? &count_avx2 : &count_portable;
  fastest(bytes, counts);
}

}  // namespace fantail
