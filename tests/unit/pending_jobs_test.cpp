#include "ventilator/pending_jobs.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

TEST(PendingJobs, WithoutPrioritiesTheyGoInOrder) {
  PendingJobs jobs;
  jobs.insert(JobSpan{0, 10});
  jobs.erase(JobSpan{3, 5});
  EXPECT_EQ(jobs.size(), 8u);
  EXPECT_EQ(jobs.take_first(2), (JobSpan{0, 2}));
  EXPECT_EQ(jobs.take_first(100), (JobSpan{2, 3}));
  EXPECT_EQ(jobs.spans(), (std::vector<JobSpan>{{5, 10}}));
}

TEST(PendingJobs, HigherPrioritiesGoFirst) {
  PendingJobs jobs;
  jobs.set_priority(4, 1);
  jobs.set_priority(2, -1);
  jobs.set_priority(7, 5);
  jobs.insert(JobSpan{0, 10});
  std::vector<JobSpan> order;
  while (!jobs.empty())
    order.push_back(jobs.take_first(3));
  EXPECT_EQ(order, (std::vector<JobSpan>{{7, 8}, {4, 5}, {0, 2}, {3, 4}, {5, 7}, {8, 10}, {2, 3}}));
  jobs.insert(JobSpan{6, 9});
  EXPECT_EQ(jobs.take_first(3), (JobSpan{7, 8})) << "it keeps its priority when it comes back";
  jobs.forget_priorities({0, 10});
  EXPECT_EQ(jobs.priority_of(7), 0);
}

TEST(PendingJobs, FindsThemInAllPriorities) {
  PendingJobs jobs;
  jobs.set_priority(1, 1);
  jobs.insert(JobSpan{0, 3});
  std::uint64_t found = 0;
  for (const JobSpan& span : jobs.within({1, 3}))
    found += span.size();
  EXPECT_EQ(found, 2u);
  EXPECT_EQ(jobs.erase(JobSpan{0, 2}), 2u);
  EXPECT_FALSE(jobs.erase(1));
  EXPECT_EQ(jobs.size(), 1u);
}

}  // namespace
}  // namespace fantail
