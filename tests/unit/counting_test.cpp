#include "worker/files/counting.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace fantail {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

Counts counted(std::string_view text) {
  Counts counts;
  count(bytes_of(text), counts);
  return counts;
}

void expect_counts(std::string_view text, std::uint64_t words, std::uint64_t lines) {
  EXPECT_EQ(counted(text).words, words) << testing::PrintToString(text);
  EXPECT_EQ(counted(text).lines, lines) << testing::PrintToString(text);
}

// The rule once more in its simplest words: the reference that both ways to count have to meet.
Counts reference(std::string_view text) {
  const std::set<char> white_space = {' ', '\t', '\n', '\v', '\f', '\r'};
  Counts counts;
  for (const char character : text) {
    const bool inside = white_space.count(character) == 0;
    if (inside && !counts.in_word) ++counts.words;
    if (character == '\n') ++counts.lines;
    counts.in_word = inside;
  }
  return counts;
}

std::string random_bytes(std::mt19937& random, std::size_t size, bool mostly_white_space) {
  std::uniform_int_distribution<int> any(0, 255);
  std::uniform_int_distribution<int> few(7, 15);
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    const int drawn = mostly_white_space ? few(random) : any(random);
    text.push_back(static_cast<char>(drawn == 15 ? ' ' : drawn));
  }
  return text;
}

TEST(Counting, FindsNothingInNothing) {
  expect_counts("", 0, 0);
}

TEST(Counting, CountsWordsAndNewlines) {
  expect_counts("x y", 2, 0);
  expect_counts("x y\n", 2, 1);
  expect_counts("\n\n\n", 0, 3);
  expect_counts("  leading and trailing  ", 3, 0);
  expect_counts("one\ttwo\nthree\vfour\ffive\rsix seven", 7, 1);
  expect_counts("carriage\r\nreturns\r\n", 2, 2);
}

TEST(Counting, TakesEveryOtherByteForAWord) {
  const std::string_view white_space = " \t\n\v\f\r";
  for (int value = 0; value < 256; ++value) {
    const char character = static_cast<char>(value);
    const bool is_white_space = white_space.find(character) != std::string_view::npos;
    const std::string text = std::string("a") + character + "b";
    EXPECT_EQ(counted(text).words, is_white_space ? 2U : 1U) << value;
  }
  expect_counts(std::string_view("\0 \x01 \xff", 5), 3, 0);
  // A no-break space and U+0085 in UTF-8 are bytes like any other.
  expect_counts(
      "a\xc2\xa0"
      "b\xc2\x85"
      "c",
      1, 0);
}

TEST(Counting, CarriesAWordAcrossBuffers) {
  Counts counts;
  for (const std::string_view buffer : {"hel", "", "lo wor", "ld", " \n", "again"})
    count(bytes_of(buffer), counts);
  EXPECT_EQ(counts, (Counts{3, 1, true}));
}

TEST(Counting, PortableWayMeetsTheReferenceAtEverySplit) {
  std::mt19937 random(1);
  for (const bool mostly_white_space : {false, true}) {
    const std::string text = random_bytes(random, 200, mostly_white_space);
    for (std::size_t split = 0; split <= text.size(); ++split) {
      Counts counts;
      count_portable(bytes_of(text).first(split), counts);
      count_portable(bytes_of(text).subspan(split), counts);
      EXPECT_EQ(counts, reference(text)) << split;
    }
  }
}

TEST(Counting, Avx2WayMeetsTheReferenceAtEverySplit) {
  if (!avx2_is_available()) GTEST_SKIP() << "this machine has no AVX2";
  std::mt19937 random(2);
  for (const bool mostly_white_space : {false, true}) {
    const std::string text = random_bytes(random, 400, mostly_white_space);
    for (std::size_t split = 0; split <= text.size(); ++split) {
      Counts counts;
      count_avx2(bytes_of(text).first(split), counts);
      count_avx2(bytes_of(text).subspan(split), counts);
      EXPECT_EQ(counts, reference(text)) << split;
    }
  }
}

TEST(Counting, Avx2WayCountsMoreNewlinesThanAByteHolds) {
  if (!avx2_is_available()) GTEST_SKIP() << "this machine has no AVX2";
  for (const std::size_t size : {8127U, 8128U, 8129U, 16256U, 16320U, 100000U}) {
    Counts counts;
    count_avx2(bytes_of(std::string(size, '\n')), counts);
    EXPECT_EQ(counts, (Counts{0, size, false}));
  }
}

TEST(Counting, BothWaysAgreeOnRandomBuffers) {
  if (!avx2_is_available()) GTEST_SKIP() << "this machine has no AVX2";
  std::mt19937 random(3);
  std::uniform_int_distribution<std::size_t> size(0, 1000);
  Counts portable;
  Counts avx2;
  for (int round = 0; round < 500; ++round) {
    const std::string text = random_bytes(random, size(random), round % 3 != 0);
    count_portable(bytes_of(text), portable);
    count_avx2(bytes_of(text), avx2);
    ASSERT_EQ(portable, avx2) << "round " << round;
  }
  EXPECT_GT(portable.words, 0U);
  EXPECT_GT(portable.lines, 0U);
}

}  // namespace
}  // namespace fantail
