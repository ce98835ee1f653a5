#include "pipeline/best_quote.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

namespace fantail {
namespace {

using Names = std::vector<std::string>;

proto::PricesResult priced(std::int64_t units, const std::string& currency = "USD",
                           std::optional<bool> in_stock = true, std::uint32_t digits = 2) {
  proto::PricesResult result;
  result.set_has_price(true);
  result.set_minor_units(units);
  result.set_minor_digits(digits);
  result.set_currency(currency);
  if (in_stock) result.set_in_stock(*in_stock);
  return result;
}

TEST(BestQuotes, KeepsTheCheapestAndItsTies) {
  BestQuotes quotes;
  quotes.add("Target", "p", priced(500));
  quotes.add("Amazon", "p", priced(600));
  EXPECT_EQ(quotes.best(), (std::vector<BestQuote>{{"p", "USD", 500, 2, {"Target"}}}));
  quotes.add("BestBuy", "p", priced(500));
  quotes.add("BestBuy", "p", priced(500));
  EXPECT_EQ(quotes.best().at(0).vendors, (Names{"BestBuy", "Target"}));
  quotes.add("Cheap", "p", priced(499));
  EXPECT_EQ(quotes.best(), (std::vector<BestQuote>{{"p", "USD", 499, 2, {"Cheap"}}}));
}

TEST(BestQuotes, PassesOverWhatCannotBeBought) {
  BestQuotes quotes;
  quotes.add("out", "p", priced(1, "USD", false));
  quotes.add("silent", "p", priced(1, "USD", std::nullopt));
  quotes.add("negative", "p", priced(-1));
  quotes.add("endless", "p", priced(1, "USD", true, 4294967295U));
  proto::PricesResult none = priced(1);
  none.set_has_price(false);
  quotes.add("none", "p", none);
  EXPECT_TRUE(quotes.best().empty());
  quotes.add("free", "p", priced(0));
  EXPECT_EQ(quotes.best().size(), 1U);
}

TEST(BestQuotes, ComparesNeitherProductsNorCurrencies) {
  BestQuotes quotes;
  quotes.add("v", "q", priced(1));
  quotes.add("v", "p", priced(900));
  quotes.add("v", "p", priced(100, "JPY", true, 0));
  const std::vector<BestQuote> expected = {
      {"p", "JPY", 100, 0, {"v"}}, {"p", "USD", 900, 2, {"v"}}, {"q", "USD", 1, 2, {"v"}}};
  EXPECT_EQ(quotes.best(), expected);
}

TEST(BestQuotes, ComparesUnequalMinorUnitsExactly) {
  constexpr std::int64_t kHuge = 9'223'372'036'854'775'807;
  BestQuotes quotes;
  quotes.add("huge", "p", priced(kHuge, "USD", true, 0));
  quotes.add("tiny", "p", priced(kHuge, "USD", true, 18));
  quotes.add("long", "p", priced(2500, "USD", true, 3));
  quotes.add("short", "p", priced(25, "USD", true, 1));
  EXPECT_EQ(quotes.best(), (std::vector<BestQuote>{{"p", "USD", 2500, 3, {"long", "short"}}}));
}

TEST(BestQuotes, AnyOrderAndAnyMergeGiveTheSame) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  struct Quote {
    std::string vendor, product;
    proto::PricesResult result;
  };
  std::vector<Quote> all;
  for (int i = 0; i < 200; ++i) {
    const std::uint32_t digits = random() % 2 == 0 ? 1 : 2;
    const auto units = static_cast<std::int64_t>(random() % 5 + 1) * (digits == 1 ? 1 : 10);
    all.push_back({"v" + std::to_string(random() % 40), "p" + std::to_string(random() % 4),
                   priced(units, random() % 2 == 0 ? "USD" : "EUR", random() % 3 != 0, digits)});
  }
  BestQuotes reference;
  for (const Quote& quote : all)
    reference.add(quote.vendor, quote.product, quote.result);
  ASSERT_FALSE(reference.best().empty());
  for (int round = 0; round < 50; ++round) {
    std::shuffle(all.begin(), all.end(), random);
    std::vector<BestQuotes> parts(random() % 7 + 1);
    for (const Quote& quote : all)
      parts[random() % parts.size()].add(quote.vendor, quote.product, quote.result);
    while (parts.size() > 1) {
      const std::size_t to = random() % (parts.size() - 1);
      parts[to].merge(parts.back());
      parts.pop_back();
    }
    ASSERT_EQ(parts[0].best(), reference.best());
  }
}

}  // namespace
}  // namespace fantail
