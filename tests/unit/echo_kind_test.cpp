#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kinds.pb.h"
#include "outcome_support.h"
#include "sink/kinds/echo.h"

namespace fantail {
namespace {

TEST(EchoKind, ShowsItsInputAsPayload) {
  const auto kind = make_echo_kind();
  const Outcome outcome = make_outcome(7, Status::kOk, "hello");
  expect_consistent(*kind, outcome);
  EXPECT_EQ(field_value(kind->fields(outcome), "payload"), FieldValue{std::string("hello")});
}

TEST(EchoKind, GivesTheDocumentedDigest) {
  const auto kind = make_echo_kind();
  Digest digest;
  digest.add(kind->add(make_outcome(7, Status::kOk, "hello")));
  EXPECT_EQ(digest.hex(), "c6a7f254bb97766b522a2383278d856e");
}

TEST(EchoKind, CountsJobsThatAreOk) {
  const auto kind = make_echo_kind();
  kind->add(make_outcome(0, Status::kOk, "abc"));
  kind->add(make_outcome(1, Status::kOk, ""));
  kind->add(make_outcome(2, Status::kFailed, "not counted"));
  EXPECT_EQ(kind->aggregate({}).dump(), R"({"jobs":2,"bytes":3})");
}

TEST(EchoKind, HidesThePayloadOfJobsThatDidNotEnd) {
  const auto kind = make_echo_kind();
  for (const Status status : {Status::kCancelled, Status::kExpired}) {
    const Outcome outcome = make_outcome(1, status, "input");
    expect_consistent(*kind, outcome);
    EXPECT_EQ(field_value(kind->fields(outcome), "payload"), FieldValue{});
  }
  const Outcome failed = make_outcome(1, Status::kFailed, "input");
  EXPECT_EQ(field_value(kind->fields(failed), "payload"), FieldValue{std::string("input")});
}

TEST(EchoKind, HashDependsOnJobStatusAndPayloadAlone) {
  const auto kind = make_echo_kind();
  const XXH128_hash_t base = kind->add(make_outcome(1, Status::kOk, "a"));
  Outcome later = make_outcome(1, Status::kOk, "a");
  later.attempt = 3;
  later.worker = "elsewhere";
  later.queued_us = 5;
  later.duration_us = 9;
  EXPECT_TRUE(equal(kind->add(later), base));
  EXPECT_FALSE(equal(kind->add(make_outcome(2, Status::kOk, "a")), base));
  EXPECT_FALSE(equal(kind->add(make_outcome(1, Status::kFailed, "a")), base));
  EXPECT_FALSE(equal(kind->add(make_outcome(1, Status::kOk, "b")), base));
}

TEST(EchoKind, CloneGoesItsOwnWay) {
  const auto kind = make_echo_kind();
  kind->add(make_outcome(0, Status::kOk, "abc"));
  const auto clone = kind->clone();
  kind->add(make_outcome(1, Status::kOk, "abc"));
  EXPECT_EQ(clone->aggregate({})["jobs"], 1);
  EXPECT_EQ(kind->aggregate({})["jobs"], 2);
}

TEST(MakeKind, KnowsEveryKindOfTheSpec) {
  proto::KindSpec spec;
  EXPECT_EQ(make_kind(spec), nullptr);
  spec.mutable_files();
  EXPECT_EQ(make_kind(spec)->name(), "files");
  spec.mutable_urls();
  EXPECT_EQ(make_kind(spec)->name(), "urls");
  spec.mutable_prices();
  EXPECT_EQ(make_kind(spec)->name(), "prices");
  spec.mutable_echo();
  EXPECT_EQ(make_kind(spec)->name(), "echo");
}

TEST(MakeRow, CopiesWhatEveryKindHas) {
  const auto kind = make_echo_kind();
  Outcome outcome = make_outcome(7, Status::kFailed, "hello");
  outcome.attempt = 2;
  outcome.worker = "alpha";
  outcome.queued_us = 3;
  outcome.duration_us = 4;
  outcome.error_code = "timeout";
  outcome.error_message = "it took too long";
  const Row row = make_row(*kind, outcome);
  EXPECT_EQ(row.job, 7U);
  EXPECT_EQ(row.input, "hello");
  EXPECT_EQ(row.kind, "echo");
  EXPECT_EQ(row.status, Status::kFailed);
  EXPECT_EQ(row.attempt, 2U);
  EXPECT_EQ(row.worker, "alpha");
  EXPECT_EQ(row.queued_us, 3U);
  EXPECT_EQ(row.duration_us, 4U);
  ASSERT_TRUE(row.error);
  EXPECT_EQ(row.error->code, "timeout");
  EXPECT_EQ(row.error->message, "it took too long");
  EXPECT_EQ(row.fields.size(), 1U);
}

TEST(MakeRow, HasAnErrorExactlyWhenTheJobIsNotOk) {
  const auto kind = make_echo_kind();
  EXPECT_FALSE(make_row(*kind, make_outcome(0, Status::kOk, "")).error);
  EXPECT_EQ(make_row(*kind, make_outcome(0, Status::kFailed, "")).error->code, "internal");
  EXPECT_EQ(make_row(*kind, make_outcome(0, Status::kCancelled, "")).error->code, "cancelled");
  EXPECT_EQ(make_row(*kind, make_outcome(0, Status::kExpired, "")).error->code, "expired");
}

TEST(Row, NamesStatusesAndMilliseconds) {
  EXPECT_EQ(status_name(Status::kOk), "ok");
  EXPECT_EQ(status_name(Status::kFailed), "failed");
  EXPECT_EQ(status_name(Status::kCancelled), "cancelled");
  EXPECT_EQ(status_name(Status::kExpired), "expired");
  EXPECT_EQ(as_milliseconds(0).text, "0.000");
  EXPECT_EQ(as_milliseconds(7).text, "0.007");
  EXPECT_EQ(as_milliseconds(12345).text, "12.345");
  EXPECT_EQ(as_milliseconds(1000000).text, "1000.000");
}

}  // namespace
}  // namespace fantail
