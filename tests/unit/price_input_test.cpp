#include "pipeline/price_input.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

TEST(PriceInput, SplitsAtTheLastSign) {
  EXPECT_EQ(split_price_input("B0001@BestBuy"), (PriceInput{"B0001", "BestBuy"}));
  EXPECT_EQ(split_price_input("me@home@BestBuy"), (PriceInput{"me@home", "BestBuy"}));
  EXPECT_EQ(split_price_input("@"), (PriceInput{"", ""}));
  EXPECT_EQ(split_price_input("product"), std::nullopt);
  EXPECT_EQ(split_price_input(""), std::nullopt);
}

TEST(PriceInput, WhatIsJoinedSplitsAgain) {
  for (const std::string product : {"B0001", "a@b", "@", "\xFF {product}", ""})
    EXPECT_EQ(split_price_input(join_price_input(product, "Best Buy")), (PriceInput{product, "Best Buy"}));
}

}  // namespace
}  // namespace fantail
