#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "outcome_support.h"
#include "sink/kinds/map.h"

namespace fantail {
namespace {

std::string payload_of(std::string json) {
  proto::MapResult result;
  result.set_json(std::move(json));
  return result.SerializeAsString();
}

std::unique_ptr<Kind> kind_with_sum(const std::string& field) {
  proto::MapSpec spec;
  spec.set_sum(field);
  return make_map_kind(spec);
}

void add_all(Kind& kind, const std::vector<std::string>& results) {
  for (const std::string& result : results) {
    const std::string payload = payload_of(result);
    kind.add(make_outcome(0, Status::kOk, "x", payload));
  }
}

TEST(MapKind, ShowsTheAnswerAsItIs) {
  const auto kind = make_map_kind({});
  const std::string payload = payload_of(R"({"a":[1,2.50]})");
  const Outcome outcome = make_outcome(1, Status::kOk, "x", payload);
  expect_consistent(*kind, outcome);
  EXPECT_EQ(field_value(kind->fields(outcome), "result"), FieldValue{JsonText{R"({"a":[1,2.50]})"}});
  EXPECT_EQ(kind->aggregate({}).dump(), R"({"results":1,"sum":null})");
}

TEST(MapKind, DoesNotBelieveWorkers) {
  const auto kind = make_map_kind({});
  for (const char* json : {"", "1}", "[1\n", "x"}) {
    const std::string payload = payload_of(json);
    const Outcome outcome = make_outcome(1, Status::kOk, "x", payload);
    expect_consistent(*kind, outcome);
    EXPECT_EQ(field_value(kind->fields(outcome), "result"), FieldValue{JsonText{"null"}});
  }
}

TEST(MapKind, OnlyOkJobsHaveAResult) {
  const auto kind = kind_with_sum(".");
  const std::string payload = payload_of("1");
  for (const Status status : {Status::kFailed, Status::kCancelled, Status::kExpired}) {
    const Outcome outcome = make_outcome(1, status, "x", payload);
    expect_consistent(*kind, outcome);
    EXPECT_EQ(field_value(kind->fields(outcome), "result"), FieldValue{});
  }
  EXPECT_EQ(kind->aggregate({})["sum"]["total"], "0");
}

TEST(MapKind, AddsUpResults) {
  const auto kind = kind_with_sum(".");
  add_all(*kind, {"1", "0.1", "[2]", "\"3\"", "1e2"});
  EXPECT_EQ(kind->aggregate({}).dump(),
            R"({"results":5,"sum":{"field":".","total":"101.1","summed":3,"without":2}})");
  EXPECT_EQ(kind->summary_totals(), "sum 101.1 (2 results not a number)");
}

TEST(MapKind, AddsUpAField) {
  const auto kind = kind_with_sum("a/b~");
  add_all(*kind, {R"({"a/b~":1.5})", R"({"a":{"b~":1}})", "7", R"({"x":{"a/b~":9},"a/b~":2})"});
  EXPECT_EQ(kind->aggregate({})["sum"]["total"], "3.5");
  EXPECT_EQ(kind->summary_totals(), "sum of a/b~ 3.5 (2 results without a number there)");
}

}  // namespace
}  // namespace fantail
