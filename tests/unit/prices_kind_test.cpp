#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "kinds.pb.h"
#include "outcome_support.h"
#include "sink/kinds/prices.h"

namespace fantail {
namespace {

using Lines = std::vector<std::string>;

std::string quote(std::int64_t cents, const std::string& currency = "USD",
                  std::optional<bool> in_stock = true) {
  proto::PricesResult result;
  result.set_has_price(true);
  result.set_minor_units(cents);
  result.set_minor_digits(currency == "JPY" ? 0 : 2);
  result.set_currency(currency);
  if (in_stock) result.set_in_stock(*in_stock);
  result.set_load_us(1500);
  result.set_status_code(200);
  return result.SerializeAsString();
}

void add_ok(Kind& kind, std::uint64_t job, const std::string& input, const std::string& payload) {
  kind.add(make_outcome(job, Status::kOk, input, payload));
}

TEST(PricesKind, ShowsEveryField) {
  const auto kind = make_prices_kind();
  const std::string payload = quote(6245);
  const Outcome outcome = make_outcome(0, Status::kOk, "B0001@BestBuy", payload);
  expect_consistent(*kind, outcome);
  const std::vector<Field> fields = kind->fields(outcome);
  EXPECT_EQ(field_value(fields, "vendor"), FieldValue{std::string("BestBuy")});
  EXPECT_EQ(field_value(fields, "product"), FieldValue{std::string("B0001")});
  EXPECT_EQ(field_value(fields, "price"), FieldValue{std::string("62.45")});
  EXPECT_EQ(field_value(fields, "currency"), FieldValue{std::string("USD")});
  EXPECT_EQ(field_value(fields, "in_stock"), FieldValue{true});
  EXPECT_EQ(field_value(fields, "load_ms"), FieldValue{Decimal{"1.500"}});
}

TEST(PricesKind, AFailedVendorStillHasItsName) {
  const auto kind = make_prices_kind();
  const Outcome outcome = make_outcome(0, Status::kFailed, "B0001@Slow");
  expect_consistent(*kind, outcome);
  const std::vector<Field> fields = kind->fields(outcome);
  EXPECT_EQ(field_value(fields, "vendor"), FieldValue{std::string("Slow")});
  EXPECT_EQ(field_value(fields, "product"), FieldValue{std::string("B0001")});
  for (const std::string_view name : {"price", "currency", "in_stock", "load_ms"}) {
    EXPECT_EQ(field_value(fields, name), FieldValue{}) << name;
  }
}

TEST(PricesKind, AVendorMaySayNothingOfItsStock) {
  const auto kind = make_prices_kind();
  const std::string silent = quote(100, "USD", std::nullopt);
  const std::string out = quote(100, "USD", false);
  EXPECT_EQ(field_value(kind->fields(make_outcome(0, Status::kOk, "a@b", silent)), "in_stock"), FieldValue{});
  EXPECT_EQ(field_value(kind->fields(make_outcome(0, Status::kOk, "a@b", out)), "in_stock"),
            FieldValue{false});
}

TEST(PricesKind, ACancelledJobHasNulls) {
  const auto kind = make_prices_kind();
  const Outcome outcome = make_outcome(0, Status::kExpired, "B0001@BestBuy");
  expect_consistent(*kind, outcome);
  for (const Field& field : kind->fields(outcome))
    EXPECT_EQ(field.value, FieldValue{}) << field.name;
}

TEST(PricesKind, SurvivesHostileOutcomes) {
  const auto kind = make_prices_kind();
  proto::PricesResult result;
  result.set_has_price(true);
  result.set_minor_units(1);
  result.set_minor_digits(4294967295U);
  const std::string endless = result.SerializeAsString();
  result.set_minor_digits(2);
  result.set_minor_units(-5);
  const std::string negative = result.SerializeAsString();
  for (const std::string& payload : {endless, negative, std::string("\xFF\xFF")}) {
    const Outcome outcome = make_outcome(0, Status::kOk, "product@vendor", payload);
    expect_consistent(*kind, outcome);
    EXPECT_EQ(field_value(kind->fields(outcome), "price"), FieldValue{});
  }
  const std::string good = quote(1);
  const Outcome nameless = make_outcome(1, Status::kOk, "without the sign", good);
  expect_consistent(*kind, nameless);
  EXPECT_EQ(field_value(kind->fields(nameless), "vendor"), FieldValue{});
  EXPECT_TRUE(kind->aggregate({})["best"].empty());
}

TEST(PricesKind, HashLeavesTheLoadTimeOut) {
  const auto kind = make_prices_kind();
  proto::PricesResult result;
  ASSERT_TRUE(result.ParseFromString(quote(6245)));
  result.set_load_us(77);
  const std::string slower = result.SerializeAsString();
  const std::string base = quote(6245);
  const std::string dearer = quote(6246);
  const XXH128_hash_t hash = kind->add(make_outcome(0, Status::kOk, "a@b", base));
  EXPECT_TRUE(equal(kind->add(make_outcome(0, Status::kOk, "a@b", slower)), hash));
  EXPECT_FALSE(equal(kind->add(make_outcome(0, Status::kOk, "a@b", dearer)), hash));
}

TEST(PricesKind, NamesTheBestQuote) {
  const auto kind = make_prices_kind();
  add_ok(*kind, 0, "B0001@Amazon", quote(6499));
  add_ok(*kind, 1, "B0001@BestBuy", quote(6245));
  add_ok(*kind, 2, "B0001@Cheap", quote(100, "USD", false));
  kind->add(make_outcome(3, Status::kFailed, "B0001@Broken"));
  EXPECT_EQ(kind->summary_lines(), Lines{"best: BestBuy at USD 62.45"});
  EXPECT_EQ(
      kind->aggregate({}).dump(),
      R"({"best":[{"product":"B0001","currency":"USD","price":"62.45","vendors":["BestBuy"]}],"quotes":3})");
}

TEST(PricesKind, NamesEveryVendorOfATie) {
  const auto kind = make_prices_kind();
  add_ok(*kind, 0, "B0001@Target", quote(6245));
  add_ok(*kind, 1, "B0001@BestBuy", quote(6245));
  EXPECT_EQ(kind->summary_lines(), Lines{"best: BestBuy and Target at USD 62.45"});
  add_ok(*kind, 2, "B0001@Amazon", quote(6245));
  EXPECT_EQ(kind->summary_lines(), Lines{"best: Amazon, BestBuy and Target at USD 62.45"});
}

TEST(PricesKind, ComparesEqualCurrenciesOnly) {
  const auto kind = make_prices_kind();
  add_ok(*kind, 0, "B0001@Kyoto", quote(980, "JPY"));
  add_ok(*kind, 1, "B0001@BestBuy", quote(6245));
  EXPECT_EQ(kind->summary_lines(), (Lines{"best: Kyoto at JPY 980", "best: BestBuy at USD 62.45"}));
}

TEST(PricesKind, HasALinePerProduct) {
  const auto kind = make_prices_kind();
  add_ok(*kind, 0, "B0002@BestBuy", quote(500, "USD", false));
  add_ok(*kind, 1, "B0001@BestBuy", quote(6245));
  kind->add(make_outcome(2, Status::kFailed, "B0003@BestBuy"));
  EXPECT_EQ(kind->summary_lines(),
            (Lines{"best for B0001: BestBuy at USD 62.45", "best for B0002: none in stock (1 quote)",
                   "best for B0003: none in stock (0 quotes)"}));
}

TEST(PricesKind, SaysThatNothingIsInStock) {
  const auto kind = make_prices_kind();
  for (std::uint64_t job = 0; job < 5; ++job) {
    add_ok(*kind, job, "B0001@v" + std::to_string(job), quote(100, "USD", false));
  }
  EXPECT_EQ(kind->summary_lines(), Lines{"best: none in stock (5 quotes)"});
  EXPECT_TRUE(kind->aggregate({})["best"].empty());
}

TEST(PricesKind, HasTheSameBestInAnyOrder) {
  const auto forward = make_prices_kind();
  const auto backward = make_prices_kind();
  const auto add = [](Kind& kind, std::uint64_t job) {
    add_ok(kind, job, "p@v" + std::to_string(job), quote(static_cast<std::int64_t>(100 + job % 3)));
  };
  for (std::uint64_t job = 0; job < 12; ++job)
    add(*forward, job);
  for (std::uint64_t job = 12; job-- > 0;)
    add(*backward, job);
  EXPECT_EQ(forward->aggregate({}), backward->aggregate({}));
  EXPECT_EQ(forward->aggregate({})["best"][0]["vendors"].size(), 4U);
}

TEST(PricesKind, HasAnAggregateThatIsUtf8) {
  const auto kind = make_prices_kind();
  add_ok(*kind, 0, "B0001@BestBuy\xFF", quote(6245));
  EXPECT_EQ(kind->aggregate({})["best"][0]["vendors"].dump(), R"(["BestBuy\\xff"])");
}

}  // namespace
}  // namespace fantail
