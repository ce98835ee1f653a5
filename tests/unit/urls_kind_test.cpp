#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kinds.pb.h"
#include "outcome_support.h"
#include "sink/kinds/load_histogram.h"
#include "sink/kinds/urls.h"

namespace fantail {
namespace {

proto::UrlsResult page() {
  proto::UrlsResult result;
  result.set_final_url("http://a.example/home");
  result.set_status_code(200);
  result.set_title("Home");
  result.set_words(120);
  result.add_links("http://a.example/1");
  result.add_links("http://a.example/2");
  result.set_bytes(2048);
  result.set_load_us(12345);
  return result;
}

TEST(UrlsKind, ShowsEveryField) {
  const auto kind = make_urls_kind();
  const std::string payload = page().SerializeAsString();
  const Outcome outcome = make_outcome(0, Status::kOk, "http://a.example/", payload);
  expect_consistent(*kind, outcome);
  const std::vector<Field> fields = kind->fields(outcome);
  EXPECT_EQ(field_value(fields, "url"), FieldValue{std::string("http://a.example/")});
  EXPECT_EQ(field_value(fields, "final_url"), FieldValue{std::string("http://a.example/home")});
  EXPECT_EQ(field_value(fields, "status_code"), FieldValue{std::uint64_t{200}});
  EXPECT_EQ(field_value(fields, "title"), FieldValue{std::string("Home")});
  EXPECT_EQ(field_value(fields, "words"), FieldValue{std::uint64_t{120}});
  const std::vector<std::string> links = {"http://a.example/1", "http://a.example/2"};
  EXPECT_EQ(field_value(fields, "links"), FieldValue{links});
  EXPECT_EQ(field_value(fields, "bytes"), FieldValue{std::uint64_t{2048}});
  EXPECT_EQ(field_value(fields, "load_ms"), FieldValue{Decimal{"12.345"}});
}

TEST(UrlsKind, AFailedPageCarriesItsStatus) {
  const auto kind = make_urls_kind();
  proto::UrlsResult result = page();
  result.set_status_code(404);
  const std::string payload = result.SerializeAsString();
  const Outcome outcome = make_outcome(0, Status::kFailed, "http://a.example/x", payload);
  expect_consistent(*kind, outcome);
  EXPECT_EQ(field_value(kind->fields(outcome), "status_code"), FieldValue{std::uint64_t{404}});
  EXPECT_EQ(field_value(kind->fields(outcome), "title"), FieldValue{std::string("Home")});
}

TEST(UrlsKind, WithoutAResponseThereIsNothingOfAResponse) {
  const auto kind = make_urls_kind();
  proto::UrlsResult result;
  result.set_load_us(10'000'000);
  const std::string payload = result.SerializeAsString();
  const Outcome outcome = make_outcome(0, Status::kFailed, "http://slow.example/", payload);
  expect_consistent(*kind, outcome);
  const std::vector<Field> fields = kind->fields(outcome);
  for (const std::string_view name : {"final_url", "status_code", "title", "words", "links", "bytes"}) {
    EXPECT_EQ(field_value(fields, name), FieldValue{}) << name;
  }
  EXPECT_EQ(field_value(fields, "url"), FieldValue{std::string("http://slow.example/")});
  EXPECT_EQ(field_value(fields, "load_ms"), FieldValue{Decimal{"10000.000"}});
}

TEST(UrlsKind, AStatusCodeThatIsNoneCountsAsNoResponse) {
  const auto kind = make_urls_kind();
  for (const std::uint32_t code : {1U, 99U, 1000U, 4294967295U}) {
    proto::UrlsResult result = page();
    result.set_status_code(code);
    const std::string payload = result.SerializeAsString();
    const Outcome outcome = make_outcome(0, Status::kFailed, "u", payload);
    expect_consistent(*kind, outcome);
    EXPECT_EQ(field_value(kind->fields(outcome), "status_code"), FieldValue{}) << code;
  }
  EXPECT_TRUE(kind->aggregate({})["status_codes"].empty());
}

TEST(UrlsKind, HasNullsForPagesThatWereNotLoaded) {
  const auto kind = make_urls_kind();
  const Outcome outcome = make_outcome(0, Status::kCancelled, "http://a.example/");
  expect_consistent(*kind, outcome);
  for (const Field& field : kind->fields(outcome))
    EXPECT_EQ(field.value, FieldValue{}) << field.name;
}

TEST(UrlsKind, HashLeavesTheLoadTimeOut) {
  const auto kind = make_urls_kind();
  proto::UrlsResult result = page();
  const std::string payload = result.SerializeAsString();
  const XXH128_hash_t hash = kind->add(make_outcome(0, Status::kOk, "u", payload));
  result.set_load_us(99);
  const std::string faster = result.SerializeAsString();
  EXPECT_TRUE(equal(kind->add(make_outcome(0, Status::kOk, "u", faster)), hash));
  result.set_title("Another");
  const std::string retitled = result.SerializeAsString();
  EXPECT_FALSE(equal(kind->add(make_outcome(0, Status::kOk, "u", retitled)), hash));
  result = page();
  result.mutable_links()->RemoveLast();
  const std::string unlinked = result.SerializeAsString();
  EXPECT_FALSE(equal(kind->add(make_outcome(0, Status::kOk, "u", unlinked)), hash));
}

TEST(UrlsKind, AddsUpPagesAndCountsEveryStatus) {
  const auto kind = make_urls_kind();
  proto::UrlsResult result = page();
  const std::string payload = result.SerializeAsString();
  kind->add(make_outcome(0, Status::kOk, "a", payload));
  kind->add(make_outcome(1, Status::kOk, "b", payload));
  result.set_status_code(404);
  const std::string missing = result.SerializeAsString();
  kind->add(make_outcome(2, Status::kFailed, "c", missing));
  kind->add(make_outcome(3, Status::kFailed, "d"));
  const auto aggregate = kind->aggregate({});
  EXPECT_EQ(aggregate["pages"], 2);
  EXPECT_EQ(aggregate["words"], 240);
  EXPECT_EQ(aggregate["links"], 4);
  EXPECT_EQ(aggregate["bytes"], 4096);
  EXPECT_EQ(aggregate["status_codes"].dump(), R"({"200":2,"404":1})");
  EXPECT_EQ(aggregate["load_histogram_ms"]["20"], 2);
}

TEST(UrlsKind, SaysItsTotals) {
  const auto kind = make_urls_kind();
  proto::UrlsResult result = page();
  result.set_words(3456);
  result.set_bytes(120 * 1024);
  const std::string payload = result.SerializeAsString();
  kind->add(make_outcome(0, Status::kOk, "a", payload));
  EXPECT_EQ(kind->summary_totals(), "3,456 words, 2 links, 120 KiB");
  EXPECT_EQ(kind->item_noun(1), "page");
  EXPECT_EQ(kind->item_noun(2), "pages");
}

TEST(LoadHistogram, IncludesTheUpperBound) {
  LoadHistogram histogram;
  histogram.add(0);
  histogram.add(1000);
  histogram.add(1001);
  histogram.add(60'000'000);
  histogram.add(60'000'001);
  histogram.add(18446744073709551615U);
  EXPECT_EQ(histogram.json().dump(),
            R"({"1":2,"2":1,"5":0,"10":0,"20":0,"50":0,"100":0,"200":0,"500":0,"1000":0,"2000":0,"5000":0,)"
            R"("10000":0,"20000":0,"60000":1,"+Inf":2})");
}

}  // namespace
}  // namespace fantail
