#include "ventilator/leases.h"

#include <gtest/gtest.h>

#include "tests/support/job_ranges.h"

namespace fantail {
namespace {

Spans spans_of(const std::vector<Lease>& leases) {
  Spans spans;
  for (const Lease& lease : leases)
    spans.push_back(lease.jobs);
  return spans;
}

TEST(Leases, TellWhoHoldsWhat) {
  Leases leases;
  EXPECT_TRUE(leases.empty());
  leases.add({{0, 10}, "a", 2, 1});
  leases.add({{10, 20}, "b", 2, 1});
  leases.add({{20, 25}, "a", 3, 2});
  EXPECT_EQ(leases.jobs(), 25u);
  EXPECT_EQ(spans_of(leases.of("a")), (Spans{{0, 10}, {20, 25}}));
  EXPECT_EQ(leases.of("a").back().attempt, 2u);
  EXPECT_TRUE(leases.of("nobody").empty());
  EXPECT_EQ(leases.all().size(), 3u);
}

TEST(Leases, AreSplitWhereAPartIsTaken) {
  Leases leases;
  leases.add({{0, 10}, "a", 7, 3});
  const std::vector<Lease> taken = leases.take({4, 6});
  ASSERT_EQ(spans_of(taken), (Spans{{4, 6}}));
  EXPECT_EQ(taken[0].worker, "a");
  EXPECT_EQ(taken[0].sequence, 7u);
  EXPECT_EQ(taken[0].attempt, 3u);
  EXPECT_EQ(spans_of(leases.all()), (Spans{{0, 4}, {6, 10}}));
  EXPECT_EQ(leases.all().back().attempt, 3u) << "the rest stays what it was";
  EXPECT_EQ(leases.jobs(), 8u);
}

TEST(Leases, TakingGoesAcrossHolders) {
  Leases leases;
  leases.add({{0, 4}, "a", 1, 1});
  leases.add({{6, 8}, "b", 1, 1});
  leases.add({{8, 12}, "c", 1, 1});
  EXPECT_EQ(spans_of(leases.take({2, 10})), (Spans{{2, 4}, {6, 8}, {8, 10}}));
  EXPECT_EQ(spans_of(leases.all()), (Spans{{0, 2}, {10, 12}}));
  EXPECT_TRUE(leases.take({2, 10}).empty()) << "nobody holds them any more";
  EXPECT_TRUE(leases.take({5, 5}).empty());
}

TEST(Leases, EqualOnesHashEqual) {
  Leases a, b;
  a.add({{0, 4}, "a", 1, 1});
  b.add({{0, 4}, "a", 1, 1});
  const auto hash_of = [](const Leases& leases) {
    StateHash hash;
    leases.hash(hash);
    return hash.value();
  };
  EXPECT_EQ(hash_of(a), hash_of(b));
  b.take({3, 4});
  EXPECT_NE(hash_of(a), hash_of(b));
}

}  // namespace
}  // namespace fantail
