#include "sink/writers/ordered_rows.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <random>

namespace fantail {
namespace {

// Collects everything that comes out.
struct Collected {
  OrderedRows rows;
  std::string out = {};
  const OrderedRows::Write write = [this](std::string_view line) { out += line; };

  void add(JobId job, std::string_view line) { rows.add(job, line, write); }
  void pass(JobId job) { rows.pass(job, write); }
};

TEST(OrderedRows, WritesInOrder) {
  Collected collected;
  collected.add(2, "two\n");
  collected.add(1, "one\n");
  EXPECT_EQ(collected.out, "");
  collected.add(0, "zero\n");
  EXPECT_EQ(collected.out, "zero\none\ntwo\n");
  EXPECT_EQ(collected.rows.held_bytes(), 0u);
}

TEST(OrderedRows, PassesJobsWithoutRow) {
  Collected collected;
  collected.add(5, "five\n");
  collected.add(0, "zero\n");
  collected.pass(3);
  EXPECT_EQ(collected.out, "zero\n");
  collected.pass(5);
  EXPECT_EQ(collected.out, "zero\nfive\n");
  collected.add(8, "eight\n");
  collected.pass(10);
  EXPECT_EQ(collected.out, "zero\nfive\neight\n");
  EXPECT_EQ(collected.rows.next(), 10u);
  collected.pass(7);
  EXPECT_EQ(collected.rows.next(), 10u);
}

TEST(OrderedRows, IgnoresASecondRowOfAJob) {
  Collected collected;
  collected.add(1, "one");
  collected.add(1, "again");
  collected.add(0, "zero ");
  collected.add(0, "again");
  EXPECT_EQ(collected.out, "zero one");
}

TEST(OrderedRows, StartsWhereItIsTold) {
  Collected collected;
  collected.rows.start_at(7);
  collected.add(6, "six");
  collected.add(7, "seven");
  EXPECT_EQ(collected.out, "seven");
}

TEST(OrderedRows, LetsThoseGoThatAreDueLast) {
  Collected collected{OrderedRows(400)};  // room for three
  for (JobId job = 9; job > 0; --job)
    collected.add(job, std::to_string(job));
  EXPECT_EQ(collected.rows.gap(), (JobSpan{0, 1}));
  collected.add(0, "0");
  EXPECT_EQ(collected.out, "0123");
  EXPECT_EQ(collected.rows.gap().first, 4u);
  EXPECT_GT(collected.rows.gap().end, 9u);
  // They are given again, and those that come meanwhile wait for them.
  collected.add(10, "10");
  EXPECT_EQ(collected.rows.gap(), (JobSpan{4, 10}));
  for (JobId job = 4; job < 10; ++job)
    collected.add(job, std::to_string(job));
  EXPECT_EQ(collected.out, "012345678910");
}

TEST(OrderedRows, LetsARowGoThatFitsNowhere) {
  Collected collected{OrderedRows(300)};
  collected.add(2, "two");
  collected.add(1, std::string(1000, 'x'));
  collected.add(3, std::string(1000, 'y'));
  EXPECT_EQ(collected.rows.held_bytes(), 0u);
  collected.add(0, std::string(1000, 'z'));
  EXPECT_EQ(collected.out, std::string(1000, 'z'));
}

// However short the rows are: what they cost beside their bytes counts.
TEST(OrderedRows, TakesNoMoreMemoryThanItsLimit) {
  constexpr std::size_t kLimit = std::size_t{8} << 20;
  Collected collected{OrderedRows(kLimit)};
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (JobId job = 1; job <= 200'000; ++job)
    collected.add(job * 0x9E37, "a row of some bytes, so that it lies on the heap\n");
  const std::size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  EXPECT_LE(collected.rows.held_bytes(), kLimit);
  EXPECT_GT(collected.rows.held_bytes(), kLimit * 9 / 10);
  // Sanitizers have a heap of their own, which does not count here.
  if (after == before) GTEST_SKIP() << "the heap is not that of the C library";
  EXPECT_GT(after, before);
  EXPECT_LE(after - before, kLimit);
}

// The giver brings what was let go, once it is next.
TEST(OrderedRows, SortsManyShuffledRows) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  std::vector<JobId> jobs(30'000);
  std::iota(jobs.begin(), jobs.end(), JobId{0});
  std::shuffle(jobs.begin(), jobs.end(), random);
  const auto line = [](JobId job) { return std::to_string(job) + std::string(job % 37, 'x') + "\n"; };
  const auto has_row = [](JobId job) { return job % 10 != 3; };

  Collected collected{OrderedRows(std::size_t{200} << 10)};
  std::string expected;
  for (JobId job = 0; job < jobs.size(); ++job)
    if (has_row(job)) expected += line(job);
  RangeSet done;
  std::size_t given_again = 0;
  for (const JobId job : jobs) {
    done.insert(job);
    if (has_row(job)) collected.add(job, line(job));
    for (;;) {
      const JobSpan gap = collected.rows.gap();
      const JobId end = std::min(gap.end, done.end_of_run(gap.first));
      if (end <= gap.first) break;
      for (JobId next = gap.first; next < end; ++next) {
        if (!has_row(next)) continue;
        collected.pass(next);
        collected.add(next, line(next));
        ++given_again;
      }
      collected.pass(end);
    }
  }
  EXPECT_GT(given_again, 0u);
  EXPECT_EQ(collected.rows.next(), jobs.size());
  EXPECT_TRUE(collected.out == expected);  // without printing megabytes
}

}  // namespace
}  // namespace fantail
