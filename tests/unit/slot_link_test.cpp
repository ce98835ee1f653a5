#include "worker/slot_link.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

TEST(SlotLink, TheLastStateCounts) {
  auto ends = SlotLink::make();
  ASSERT_TRUE(ends);
  SlotLink& parent = ends->first;
  SlotLink child(std::move(ends->second));
  EXPECT_FALSE(parent.last_demand());
  EXPECT_FALSE(child.last_allotment());
  EXPECT_TRUE(parent.tell(SlotAllotment{1, 4}));
  EXPECT_TRUE(parent.tell(SlotAllotment{2, 3}));
  const auto allotment = child.last_allotment();
  ASSERT_TRUE(allotment);
  EXPECT_EQ(2U, allotment->number);
  EXPECT_EQ(3U, allotment->slots);
  EXPECT_TRUE(child.tell(SlotDemand{2, 1, 4, 0}));
  EXPECT_EQ((SlotDemand{2, 1, 4, 0}), parent.last_demand());
  EXPECT_FALSE(parent.last_demand());
}

TEST(SlotLink, WhoDoesNotReadIsNotWaitedFor) {
  auto ends = SlotLink::make();
  ASSERT_TRUE(ends);
  std::uint64_t told = 0;
  while (ends->first.tell(SlotAllotment{told + 1, 1}))
    ++told;
  EXPECT_GT(told, 1U);
  SlotLink child(std::move(ends->second));
  EXPECT_EQ(told, child.last_allotment()->number);
  EXPECT_TRUE(ends->first.tell(SlotAllotment{told + 1, 1}));
}

}  // namespace
}  // namespace fantail
