#include "worker/files/counting.h"

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

FANTAIL_AVX2 inline __m256i white_space(__m256i bytes) {
  const __m256i from_tab = _mm256_sub_epi8(bytes, _mm256_set1_epi8('\t'));
  const __m256i controls =
      _mm256_cmpeq_epi8(_mm256_min_epu8(from_tab, _mm256_set1_epi8('\r' - '\t')), from_tab);
  return _mm256_or_si256(controls, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(' ')));
}

}  // namespace

bool avx2_is_available() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

FANTAIL_AVX2 void count_avx2(std::span<const std::byte> bytes, Counts& counts) {
  assert(avx2_is_available());
  constexpr std::size_t kBlock = 64;
  const __m256i newline = _mm256_set1_epi8('\n');
  std::uint64_t words = 0;
  std::uint64_t lines = 0;
  std::uint64_t before = counts.in_word ? 1 : 0;
  std::size_t offset = 0;
  for (; offset + kBlock <= bytes.size(); offset += kBlock) {
    const auto* block = reinterpret_cast<const __m256i*>(bytes.data() + offset);
    const __m256i first = _mm256_loadu_si256(block);
    const __m256i second = _mm256_loadu_si256(block + 1);
    const std::uint64_t inside = ~bits_of(white_space(first), white_space(second));
    const std::uint64_t newlines =
        bits_of(_mm256_cmpeq_epi8(first, newline), _mm256_cmpeq_epi8(second, newline));
    // A word is counted at its first byte: the one whose neighbour before is outside.
    words += static_cast<std::uint64_t>(_mm_popcnt_u64(inside & ~(inside << 1 | before)));
    lines += static_cast<std::uint64_t>(_mm_popcnt_u64(newlines));
    before = inside >> 63;
  }
  // Dirty upper halves of the registers slow down the SSE code that runs next (the hash) to a half or less,
  // and g++ does not clean them before the tail call below.
  _mm256_zeroupper();
  counts.words += words;
  counts.lines += lines;
  counts.in_word = before != 0;
  count_portable(bytes.subspan(offset), counts);
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

void Counter::add(std::span<const std::byte> bytes) {
  static const auto count = avx2_is_available() ? &count_avx2 : &count_portable;
  count(bytes, counts_);
}

}  // namespace fantail
