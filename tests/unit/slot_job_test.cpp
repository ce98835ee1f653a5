#include "worker/slot_job.h"

#include <gtest/gtest.h>

#include <thread>

namespace fantail {
namespace {

TEST(SlotJob, OnlyTheOneThatIsAtWorkIsClaimedAndOnce) {
  SlotJob slot;
  RangeSet jobs;
  jobs.insert(JobSpan{7, 9});
  EXPECT_FALSE(slot.claim(jobs)) << "it is idle";
  slot.begin(6);
  EXPECT_FALSE(slot.claim(jobs));
  EXPECT_FALSE(slot.end());
  slot.begin(7);
  EXPECT_TRUE(slot.claim(jobs));
  EXPECT_FALSE(slot.claim(jobs));
  EXPECT_TRUE(slot.end());
  EXPECT_FALSE(slot.claim(jobs));
  slot.begin(8);
  EXPECT_FALSE(slot.end()) << "a claim is of one job";
}

// Whatever the threads do, as many claims are found as were made.
TEST(SlotJob, EachClaimIsFoundAtTheEndOfItsJob) {
  SlotJob slot;
  std::atomic<bool> over{false};
  std::uint64_t claimed = 0, found = 0;
  std::thread other([&] {
    RangeSet jobs;
    jobs.insert(JobSpan{0, 1000});
    while (!over)
      claimed += slot.claim(jobs) ? 1 : 0;
  });
  for (JobId job = 0; job < 200000; ++job) {
    slot.begin(job % 1500);
    found += slot.end() ? 1 : 0;
  }
  over = true;
  other.join();
  EXPECT_EQ(found, claimed);
}

}  // namespace
}  // namespace fantail
