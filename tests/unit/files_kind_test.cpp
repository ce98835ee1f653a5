#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "outcome_support.h"
#include "sink/kinds/files.h"
#include "sink/kinds/top_items.h"

namespace fantail {
namespace {

std::unique_ptr<Kind> files_kind(const std::string& hash_algorithm = "md5") {
  proto::FilesSpec spec;
  spec.set_hash_algorithm(hash_algorithm);
  return make_files_kind(spec);
}

std::string payload(std::uint64_t size, const std::string& hash, std::uint64_t words, std::uint64_t lines) {
  proto::FilesResult result;
  result.set_size(size);
  result.set_hash(hash);
  result.set_words(words);
  result.set_lines(lines);
  return result.SerializeAsString();
}

TEST(FilesKind, ShowsSizeHashWordsAndLines) {
  const auto kind = files_kind();
  const std::string bytes = payload(1200, "\xDE\xAD\x01", 30, 4);
  const Outcome outcome = make_outcome(0, Status::kOk, "/etc/hosts", bytes);
  expect_consistent(*kind, outcome);
  const std::vector<Field> fields = kind->fields(outcome);
  EXPECT_EQ(field_value(fields, "path"), FieldValue{std::string("/etc/hosts")});
  EXPECT_EQ(field_value(fields, "size"), FieldValue{std::uint64_t{1200}});
  EXPECT_EQ(field_value(fields, "hash"), FieldValue{std::string("dead01")});
  EXPECT_EQ(field_value(fields, "hash_algorithm"), FieldValue{std::string("md5")});
  EXPECT_EQ(field_value(fields, "words"), FieldValue{std::uint64_t{30}});
  EXPECT_EQ(field_value(fields, "lines"), FieldValue{std::uint64_t{4}});
}

TEST(FilesKind, AnEmptyFileHasZerosAndNotNulls) {
  const auto kind = files_kind("none");
  // A message of zeros is serialized to no bytes at all.
  const Outcome outcome = make_outcome(0, Status::kOk, "empty", payload(0, "", 0, 0));
  ASSERT_TRUE(outcome.payload.empty());
  expect_consistent(*kind, outcome);
  EXPECT_EQ(field_value(kind->fields(outcome), "size"), FieldValue{std::uint64_t{0}});
  EXPECT_EQ(field_value(kind->fields(outcome), "hash"), FieldValue{});
  EXPECT_EQ(field_value(kind->fields(outcome), "hash_algorithm"), FieldValue{std::string("none")});
}

TEST(FilesKind, AFailedFileHasItsPathAlone) {
  const auto kind = files_kind();
  const Outcome outcome = make_outcome(0, Status::kFailed, "gone");
  expect_consistent(*kind, outcome);
  const std::vector<Field> fields = kind->fields(outcome);
  EXPECT_EQ(field_value(fields, "path"), FieldValue{std::string("gone")});
  for (const std::string_view name : {"size", "hash", "hash_algorithm", "words", "lines"}) {
    EXPECT_EQ(field_value(fields, name), FieldValue{}) << name;
  }
}

TEST(FilesKind, AFileThatWasNotReadHasNullsWhateverItsPayload) {
  const auto kind = files_kind();
  const std::string bytes = payload(5, "x", 1, 1);
  for (const Status status : {Status::kCancelled, Status::kExpired}) {
    const Outcome outcome = make_outcome(3, status, "path", bytes);
    expect_consistent(*kind, outcome);
    for (const Field& field : kind->fields(outcome))
      EXPECT_EQ(field.value, FieldValue{}) << field.name;
  }
}

TEST(FilesKind, SurvivesAPayloadThatIsNoMessage) {
  const auto kind = files_kind();
  kind->add(make_outcome(0, Status::kOk, "good", payload(7, "h", 1, 1)));
  const Outcome outcome = make_outcome(1, Status::kOk, "path", "\xFF\xFF\xFF");
  expect_consistent(*kind, outcome);
  EXPECT_EQ(field_value(kind->fields(outcome), "size"), FieldValue{});
  EXPECT_EQ(kind->aggregate({})["bytes"], 7);
}

TEST(FilesKind, KeepsThePathAsBytes) {
  const auto kind = files_kind();
  const std::string bytes = payload(1, "h", 0, 0);
  const Outcome outcome = make_outcome(0, Status::kOk, "caf\xE9\n", bytes);
  expect_consistent(*kind, outcome);
  EXPECT_EQ(field_value(kind->fields(outcome), "path"), FieldValue{std::string("caf\xE9\n")});
  const std::string report = kind->aggregate({}).dump();  // would throw if the bytes were in it
  EXPECT_NE(report.find("caf"), std::string::npos);
}

TEST(FilesKind, AddsUpTheFilesThatAreOk) {
  const auto kind = files_kind();
  Outcome first = make_outcome(0, Status::kOk, "a");
  const std::string first_payload = payload(913000, "h", 48230, 5677);
  first.payload = first_payload;
  first.duration_us = 2500;
  kind->add(first);
  Outcome second = make_outcome(1, Status::kOk, "b");
  const std::string second_payload = payload(408, "h", 4, 1);
  second.payload = second_payload;
  second.duration_us = 500;
  kind->add(second);
  kind->add(make_outcome(2, Status::kFailed, "c"));

  RunSummary run;
  run.skipped = 3;
  EXPECT_EQ(
      kind->aggregate(run).dump(),
      R"({"files":2,"bytes":913408,"words":48234,"lines":5678,"skipped":3,"average_bytes":456704,"average_ms":1.5,)"
      R"("slowest":[{"job":0,"path":"a","duration_ms":2.5},{"job":1,"path":"b","duration_ms":0.5}],)"
      R"("largest":[{"job":0,"path":"a","size":913000},{"job":1,"path":"b","size":408}]})");
  EXPECT_EQ(kind->summary_totals(), "892 KiB, 48,234 words, 5,678 lines");
}

TEST(FilesKind, HasAnAggregateOfNothing) {
  const auto aggregate = files_kind()->aggregate({});
  EXPECT_EQ(aggregate["files"], 0);
  EXPECT_EQ(aggregate["average_ms"], 0.0);
  EXPECT_TRUE(aggregate["slowest"].is_array());
  EXPECT_TRUE(aggregate["largest"].empty());
}

TEST(FilesKind, HasTheSameAggregateInAnyOrder) {
  const auto forward = files_kind();
  const auto backward = files_kind();
  Digest forward_digest;
  Digest backward_digest;
  const auto add = [](Kind& kind, Digest& digest, std::uint64_t job) {
    const std::string path = "file" + std::to_string(job);
    const std::string bytes = payload(job % 7, "h", job, 1);
    Outcome outcome = make_outcome(job, Status::kOk, path, bytes);
    outcome.duration_us = job % 5;
    digest.add(kind.add(outcome));
  };
  for (std::uint64_t job = 0; job < 40; ++job)
    add(*forward, forward_digest, job);
  for (std::uint64_t job = 40; job-- > 0;)
    add(*backward, backward_digest, job);
  EXPECT_EQ(forward->aggregate({}), backward->aggregate({}));
  EXPECT_EQ(forward_digest, backward_digest);
}

TEST(FilesKind, NamesItsItems) {
  EXPECT_EQ(files_kind()->item_noun(1), "file");
  EXPECT_EQ(files_kind()->item_noun(0), "files");
}

TEST(TopItems, KeepsTheLargestInOrder) {
  TopItems top;
  for (std::uint64_t job = 0; job < 20; ++job)
    top.add((job * 7) % 20, job, std::to_string(job));
  ASSERT_EQ(top.items().size(), TopItems::kCapacity);
  for (std::size_t i = 0; i < TopItems::kCapacity; ++i)
    EXPECT_EQ(top.items()[i].value, 19 - i);
}

TEST(TopItems, BreaksTiesByJobId) {
  TopItems top;
  for (const std::uint64_t job : {9U, 3U, 7U, 1U, 8U, 2U, 6U})
    top.add(5, job, "x");
  std::vector<std::uint64_t> jobs;
  for (const TopItems::Item& item : top.items())
    jobs.push_back(item.job);
  EXPECT_EQ(jobs, (std::vector<std::uint64_t>{1, 2, 3, 6, 7}));
}

}  // namespace
}  // namespace fantail
