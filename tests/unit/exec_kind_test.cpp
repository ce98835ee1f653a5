#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "outcome_support.h"
#include "sink/joblog.h"
#include "sink/kinds/exec.h"

namespace fantail {
namespace {

proto::ExecResult result_of(std::uint32_t exit_code, std::uint32_t signal, std::string output,
                            std::string errors) {
  proto::ExecResult result;
  result.set_exit_code(exit_code);
  result.set_signal(signal);
  result.set_stdout_bytes(output.size());
  result.set_stderr_bytes(errors.size());
  result.set_stdout_head(std::move(output));
  result.set_stderr_head(std::move(errors));
  return result;
}

TEST(ExecKind, ShowsHowAProcessEnded) {
  const auto kind = make_exec_kind({});
  const std::string payload = result_of(3, 0, "out\n", "err").SerializeAsString();
  const Outcome outcome = make_outcome(7, Status::kFailed, "a", payload);
  expect_consistent(*kind, outcome);
  const auto fields = kind->fields(outcome);
  EXPECT_EQ(field_value(fields, "exit_code"), FieldValue{std::uint64_t{3}});
  EXPECT_EQ(field_value(fields, "signal"), FieldValue{});
  EXPECT_EQ(field_value(fields, "stdout"), FieldValue{std::string("out\n")});
  EXPECT_EQ(field_value(fields, "stderr"), FieldValue{std::string("err")});
  EXPECT_EQ(field_value(fields, "stdout_bytes"), FieldValue{std::uint64_t{4}});
  EXPECT_EQ(field_value(fields, "truncated"), FieldValue{false});
}

TEST(ExecKind, NamesSignals) {
  const auto kind = make_exec_kind({});
  const std::string killed = result_of(0, 9, "", "").SerializeAsString();
  const Outcome outcome = make_outcome(0, Status::kFailed, "a", killed);
  expect_consistent(*kind, outcome);
  EXPECT_EQ(field_value(kind->fields(outcome), "exit_code"), FieldValue{});
  EXPECT_EQ(field_value(kind->fields(outcome), "signal"), FieldValue{std::string("SIGKILL")});
  const std::string unknown = result_of(0, 4000, "", "").SerializeAsString();
  EXPECT_EQ(field_value(kind->fields(make_outcome(1, Status::kFailed, "a", unknown)), "signal"),
            FieldValue{std::string("SIG4000")});
}

TEST(ExecKind, SaysWhereARowHasTheBeginningOnly) {
  const auto kind = make_exec_kind({});
  proto::ExecResult result = result_of(0, 0, "head", "");
  result.set_stdout_bytes(100'000);
  const std::string payload = result.SerializeAsString();
  const Outcome outcome = make_outcome(0, Status::kOk, "a", payload);
  expect_consistent(*kind, outcome);
  EXPECT_EQ(field_value(kind->fields(outcome), "truncated"), FieldValue{true});
}

TEST(ExecKind, FieldsAreNullWithoutAProcess) {
  const auto kind = make_exec_kind({});
  expect_consistent(*kind, make_outcome(0, Status::kFailed, "a"));
  expect_consistent(*kind, make_outcome(1, Status::kCancelled, "a"));
  EXPECT_EQ(kind->aggregate({})["processes"], 0);
}

TEST(ExecKind, CountsProcessesAndGoesOnFromWhatItSaved) {
  const auto kind = make_exec_kind({});
  const std::string good = result_of(0, 0, "abc", "d").SerializeAsString();
  const std::string bad = result_of(2, 0, "", "ef").SerializeAsString();
  const std::string killed = result_of(0, 15, "", "").SerializeAsString();
  kind->add(make_outcome(0, Status::kOk, "a", good));
  kind->add(make_outcome(1, Status::kFailed, "b", bad));
  const auto later = make_exec_kind({});
  ASSERT_TRUE(later->load(kind->save()));
  for (const auto& each : {kind.get(), later.get()}) {
    each->add(make_outcome(2, Status::kFailed, "c", killed));
    EXPECT_EQ(each->aggregate({}).dump(),
              R"({"processes":3,"exit_codes":{"0":1,"2":1},"signals":{"SIGTERM":1},"stdout_bytes":3,)"
              R"("stderr_bytes":3,"average_ms":0.0})");
  }
  EXPECT_EQ(later->save(), kind->save());
  EXPECT_FALSE(later->load("nonsense"));
}

TEST(Joblog, HasTheColumnsOfParallel) {
  proto::ExecSpec spec;
  spec.add_command("echo");
  spec.set_arguments(1);
  proto::ExecResult result = result_of(3, 0, "abc\n", "");
  result.set_started_at_us(1'795'704'086'373'499);
  const std::string payload = result.SerializeAsString();
  Outcome outcome = make_outcome(0, Status::kFailed, "x y", payload);
  outcome.worker = "host-1";
  outcome.duration_us = 97'600;
  std::string line;
  append_joblog(spec, outcome, line);
  EXPECT_EQ(line, "1\thost-1\t1795704086.373\t     0.098\t0\t4\t3\t0\techo 'x y'\n");
  line.clear();
  outcome.payload = {};
  append_joblog(spec, outcome, line);
  EXPECT_EQ(line, "1\thost-1\t0.000\t     0.098\t0\t0\t-1\t0\techo 'x y'\n");
  line.clear();
  outcome.attempt = 0;
  append_joblog(spec, outcome, line);
  EXPECT_EQ(line, "");
}

}  // namespace
}  // namespace fantail
