#include "pipeline/range_set.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

#include "tests/support/job_ranges.h"

namespace fantail {
namespace {

TEST(RangeSet, MergesRangesThatTouchOrOverlap) {
  RangeSet set;
  EXPECT_EQ(set.insert({0, 5}), 5u);
  EXPECT_EQ(set.insert({10, 15}), 5u);
  EXPECT_EQ(set.insert({5, 10}), 5u);
  EXPECT_EQ(set.spans(), (Spans{{0, 15}}));
  EXPECT_EQ(set.insert({3, 20}), 5u);
  EXPECT_EQ(set.spans(), (Spans{{0, 20}}));
  EXPECT_EQ(set.size(), 20u);
}

TEST(RangeSet, InsertSaysWhetherAnIdIsNew) {
  RangeSet set;
  EXPECT_TRUE(set.insert(7));
  EXPECT_FALSE(set.insert(7));
  EXPECT_TRUE(set.contains(7));
  EXPECT_FALSE(set.contains(6));
  EXPECT_FALSE(set.contains(8));
}

TEST(RangeSet, SaysHowFarARunOfIdsGoes) {
  RangeSet set;
  EXPECT_EQ(set.end_of_run(3), 3u);
  set.insert({3, 6});
  set.insert({7, 9});
  EXPECT_EQ(set.end_of_run(2), 2u);
  EXPECT_EQ(set.end_of_run(3), 6u);
  EXPECT_EQ(set.end_of_run(5), 6u);
  EXPECT_EQ(set.end_of_run(6), 6u);
  EXPECT_EQ(set.end_of_run(8), 9u);
  EXPECT_EQ(set.end_of_run(9), 9u);
}

TEST(RangeSet, EraseSplitsARange) {
  RangeSet set;
  set.insert({0, 10});
  EXPECT_EQ(set.erase({3, 5}), 2u);
  EXPECT_EQ(set.spans(), (Spans{{0, 3}, {5, 10}}));
  EXPECT_EQ(set.erase({2, 100}), 6u);
  EXPECT_EQ(set.spans(), (Spans{{0, 2}}));
  EXPECT_FALSE(set.erase(2));
}

TEST(RangeSet, EmptySpansChangeNothing) {
  RangeSet set;
  EXPECT_EQ(set.insert({5, 5}), 0u);
  EXPECT_EQ(set.erase({5, 5}), 0u);
  EXPECT_TRUE(set.empty());
  EXPECT_TRUE(set.spans().empty());
}

TEST(RangeSet, TakesTheSmallestFirst) {
  RangeSet set;
  set.insert({8, 12});
  set.insert({2, 5});
  EXPECT_EQ(set.take_first(2), (JobSpan{2, 4}));
  EXPECT_EQ(set.take_first(2), (JobSpan{4, 5})) << "one range at a time";
  EXPECT_EQ(set.take_first(100), (JobSpan{8, 12}));
  EXPECT_EQ(set.take_first(1), JobSpan{});
  EXPECT_TRUE(set.empty());
}

TEST(RangeSet, TellsWhatASpanHasAndMisses) {
  RangeSet set;
  set.insert({2, 4});
  set.insert({6, 9});
  EXPECT_EQ(set.within({3, 7}), (Spans{{3, 4}, {6, 7}}));
  EXPECT_EQ(set.missing_from({3, 12}), (Spans{{4, 6}, {9, 12}}));
  EXPECT_EQ(set.missing_from({2, 4}), Spans{});
  EXPECT_EQ(RangeSet{}.missing_from({1, 3}), (Spans{{1, 3}}));
}

TEST(RangeSet, HoldsTheLargestIds) {
  constexpr JobId kLast = std::numeric_limits<JobId>::max();
  RangeSet set;
  EXPECT_EQ(set.insert({kLast - 2, kLast}), 2u);
  EXPECT_EQ(set.missing_from({kLast - 3, kLast}), (Spans{{kLast - 3, kLast - 2}}));
}

TEST(RangeSet, EqualSetsAreEqualHoweverTheyCameAbout) {
  RangeSet a, b;
  a.insert({0, 10});
  for (const JobId id : std::vector<JobId>{9, 1, 3, 5, 7, 0, 2, 4, 6, 8})
    b.insert(id);
  EXPECT_EQ(a, b);
}

// Against a set of single ids, over random operations.
TEST(RangeSet, AgreesWithASetOfIds) {
  std::mt19937 random(20240917);
  RangeSet set;
  std::set<JobId> ids;
  for (int step = 0; step < 4000; ++step) {
    const JobId first = random() % 60;
    const JobSpan span{first, first + random() % 9};
    std::uint64_t changed = 0;
    const bool insert = random() % 2 == 0;
    for (JobId id = span.first; id < span.end; ++id)
      changed += insert ? (ids.insert(id).second ? 1 : 0) : ids.erase(id);
    ASSERT_EQ(insert ? set.insert(span) : set.erase(span), changed);
    ASSERT_EQ(set.size(), ids.size());
    JobId previous_end = 0;
    std::uint64_t counted = 0;
    for (const JobSpan& part : set.spans()) {
      ASSERT_LT(part.first, part.end);
      ASSERT_TRUE(counted == 0 || part.first > previous_end) << "touching ranges are one";
      for (JobId id = part.first; id < part.end; ++id)
        ASSERT_TRUE(ids.contains(id));
      counted += part.size();
      previous_end = part.end;
    }
    ASSERT_EQ(counted, ids.size());
  }
}

}  // namespace
}  // namespace fantail
