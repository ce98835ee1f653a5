#include "worker/html/string_list.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/strings.h"

namespace fantail {
namespace {

TEST(DistinctStrings, KeepsEachOnceInOrder) {
  DistinctStrings distinct;
  EXPECT_TRUE(distinct.add("b"));
  EXPECT_TRUE(distinct.add(""));
  EXPECT_TRUE(distinct.add("a"));
  EXPECT_FALSE(distinct.add("b"));
  EXPECT_FALSE(distinct.add(""));
  EXPECT_EQ(distinct.list().bytes(), 2U);
  EXPECT_EQ(strings(std::move(distinct).take()), (std::vector<std::string>{"b", "", "a"}));
}

TEST(DistinctStrings, KnowsAllWhenThereAreMany) {
  DistinctStrings distinct;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20'000; ++i)
      EXPECT_EQ(distinct.add("string " + std::to_string(i)), round == 0);
  }
  EXPECT_EQ(distinct.list().size(), 20'000U);
  EXPECT_EQ(distinct.list()[12'345], "string 12345");
}

}  // namespace
}  // namespace fantail
