#include "sink/writers/ordered_rows.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>
#include <random>

namespace fantail {
namespace {

constexpr std::uint64_t kMaxJob = std::numeric_limits<std::uint64_t>::max();

// Feeds rows and collects everything that comes out.
struct Collected {
  OrderedRows rows;
  std::string out = {};

  void add(std::uint64_t job, const std::string& line) {
    EXPECT_EQ(rows.add(job, line, out), std::nullopt);
    drain();
  }
  void skip(std::uint64_t first, std::uint64_t count) {
    EXPECT_EQ(rows.skip(first, count, out), std::nullopt);
    drain();
  }
  void drain() {
    while (rows.has_due())
      ASSERT_EQ(rows.emit(out), std::nullopt);
  }
};

std::string temporary_directory() {
  return testing::TempDir();
}

TEST(OrderedRows, EmitsInOrder) {
  Collected collected{OrderedRows(temporary_directory())};
  collected.add(2, "two\n");
  collected.add(1, "one\n");
  EXPECT_EQ(collected.out, "");
  collected.add(0, "zero\n");
  EXPECT_EQ(collected.out, "zero\none\ntwo\n");
  EXPECT_FALSE(collected.rows.has_spilled());
}

TEST(OrderedRows, PassesJobsWithoutRow) {
  Collected collected{OrderedRows(temporary_directory())};
  collected.add(5, "five\n");
  collected.skip(1, 2);
  collected.skip(3, 2);
  EXPECT_EQ(collected.out, "");
  collected.add(0, "zero\n");
  EXPECT_EQ(collected.out, "zero\nfive\n");
  collected.skip(6, 10);
  collected.add(16, "sixteen\n");
  EXPECT_EQ(collected.out, "zero\nfive\nsixteen\n");
}

TEST(OrderedRows, SkipsAreHarmlessWhereverTheyLie) {
  Collected collected{OrderedRows(temporary_directory())};
  collected.add(0, "0");
  collected.skip(0, 1);
  collected.skip(1, 0);
  collected.add(1, "1");
  EXPECT_EQ(collected.out, "01");
  collected.skip(2, kMaxJob);
  EXPECT_EQ(collected.rows.next(), kMaxJob);
}

TEST(OrderedRows, IgnoresASecondLineOfAJob) {
  Collected collected{OrderedRows(temporary_directory())};
  collected.add(1, "one");
  collected.add(1, "again");
  collected.add(0, "zero ");
  collected.add(0, "again");
  EXPECT_EQ(collected.out, "zero one");
}

TEST(OrderedRows, IgnoresASecondLineOfASpilledJob) {
  Collected collected{OrderedRows(temporary_directory(), {.lines = 1})};
  collected.add(1, "one ");  // in memory
  collected.add(2, "two");   // in the file
  collected.add(2, "again");
  collected.add(2, "and again");
  collected.add(0, "zero ");
  EXPECT_EQ(collected.out, "zero one two");
  EXPECT_EQ(collected.rows.waiting(), 0u);
  EXPECT_FALSE(collected.rows.has_due());
}

TEST(OrderedRows, TakesTheLargestJobIds) {
  Collected collected{OrderedRows(temporary_directory(), {.lines = 0})};
  collected.add(kMaxJob, "last");
  collected.add(kMaxJob - 1, "last but one ");
  collected.skip(0, kMaxJob - 1);
  EXPECT_EQ(collected.out, "last but one last");
}

// However sparse their ids are: what stays in memory of a row in the file is its place.
TEST(OrderedRows, RemembersSpilledRowsInFewBytes) {
  OrderedRows rows(temporary_directory(), {.lines = 0});
  std::string out;
  constexpr std::uint64_t kRows = 200'000;
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (std::uint64_t i = 1; i <= kRows; ++i)
    ASSERT_EQ(rows.add(i * 0x9E3779B97F4A7C15u, "x", out), std::nullopt);
  const std::size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  // Sanitizers have a heap of their own, which does not count here.
  if (after == before) GTEST_SKIP() << "the heap is not that of the C library";
  EXPECT_GT(after, before);
  EXPECT_LE(after - before, kRows * 32);
}

TEST(OrderedRows, SpillsBeyondTheLimitOfLines) {
  Collected collected{OrderedRows(temporary_directory(), {.lines = 2})};
  for (std::uint64_t job = 5; job > 0; --job)
    collected.add(job, std::to_string(job) + "\n");
  EXPECT_TRUE(collected.rows.has_spilled());
  EXPECT_EQ(collected.rows.waiting(), 5u);
  collected.add(0, "0\n");
  EXPECT_EQ(collected.out, "0\n1\n2\n3\n4\n5\n");
  EXPECT_EQ(collected.rows.waiting(), 0u);
}

TEST(OrderedRows, SpillsBeyondTheLimitOfBytesAndUsesItsFileAgain) {
  Collected collected{OrderedRows(temporary_directory(), {.bytes = 10})};
  std::string expected;
  for (std::uint64_t first = 0; first < 12; first += 3) {
    collected.add(first + 2, "third-" + std::to_string(first));
    collected.add(first + 1, "second-" + std::to_string(first));
    collected.add(first, "first-" + std::to_string(first));
    for (const char* word : {"first-", "second-", "third-"})
      expected += word + std::to_string(first);
  }
  EXPECT_TRUE(collected.rows.has_spilled());
  EXPECT_EQ(collected.out, expected);
}

TEST(OrderedRows, KeepsBurstsSmall) {
  OrderedRows rows(temporary_directory(), {.lines = 10, .burst = 100});
  std::string out;
  for (std::uint64_t job = 99; job > 0; --job)
    ASSERT_EQ(rows.add(job, "ten bytes\n", out), std::nullopt);
  ASSERT_EQ(rows.add(0, "ten bytes\n", out), std::nullopt);
  std::size_t total = 0;
  while (!out.empty()) {
    EXPECT_LE(out.size(), 110u);
    total += out.size();
    out.clear();
    ASSERT_EQ(rows.emit(out), std::nullopt);
  }
  EXPECT_EQ(total, 1000u);
}

TEST(OrderedRows, SortsManyShuffledRows) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> jobs(300'000);
  std::iota(jobs.begin(), jobs.end(), std::uint64_t{0});
  std::shuffle(jobs.begin(), jobs.end(), random);
  const auto line = [](std::uint64_t job) { return std::to_string(job) + std::string(job % 37, 'x') + "\n"; };

  Collected collected{OrderedRows(temporary_directory())};
  std::string expected;
  for (std::uint64_t job = 0; job < jobs.size(); ++job)
    if (job % 10 != 3) expected += line(job);
  for (const std::uint64_t job : jobs)
    job % 10 == 3 ? collected.skip(job, 1) : collected.add(job, line(job));
  EXPECT_TRUE(collected.rows.has_spilled());
  EXPECT_EQ(collected.rows.next(), 300'000u);
  EXPECT_TRUE(collected.out == expected);  // without printing megabytes
}

TEST(OrderedRows, LeavesNoFileBehind) {
  const std::string directory =
      temporary_directory() + "/ordered_rows_" + std::to_string(std::random_device{}());
  std::filesystem::create_directory(directory);
  OrderedRows rows(directory, {.lines = 0});
  std::string out;
  ASSERT_EQ(rows.add(1, "x", out), std::nullopt);
  EXPECT_TRUE(rows.has_spilled());
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  std::filesystem::remove(directory);
}

TEST(OrderedRows, SaysWhyItCannotSpill) {
  OrderedRows rows("/no/such/directory", {.lines = 0});
  std::string out;
  EXPECT_EQ(
      rows.add(1, "x", out),
      "cannot write the temporary file of --keep-order in /no/such/directory: No such file or directory");
}

}  // namespace
}  // namespace fantail
