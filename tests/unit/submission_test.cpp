#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "pipeline/app/served_folders.h"
#include "sink/serving/output_check.h"
#include "tests/support/temporary_folder.h"
#include "ventilator/serving/submission_check.h"
#include "ventilator/serving/submission_folder.h"
#include "ventilator/sources/submitted.h"

namespace fantail {
namespace {

const char kRun[] = "01JD3K7Q5W8XVYB2M4N6P8R0ST";

proto::SubmittedRun echo_run() {
  proto::SubmittedRun run;
  run.set_kind("echo");
  run.mutable_spec()->mutable_echo();
  return run;
}

class SubmissionTest : public testing::Test {
 protected:
  SubmissionTest()
      : submission_(std::get<SubmissionFolder>(SubmissionFolder::create(state_.path(), kRun, echo_run()))) {}

  static std::string stream_of(const std::vector<std::string>& inputs) {
    std::string stream;
    for (const std::string& input : inputs)
      append_submitted(input, stream);
    return stream;
  }
  void end(const std::string& error = {}) {
    proto::InputsEnd end;
    end.set_bytes(submission_.received());
    end.set_error(error);
    end.set_skipped(3);
    EXPECT_FALSE(submission_.end(end));
  }
  std::unique_ptr<Source> source() {
    return std::get<std::unique_ptr<Source>>(make_submitted_source(submission_.path()));
  }
  // All inputs, and the error if there is one.
  static std::vector<std::string> read_all(Source& source, std::string& error) {
    std::vector<std::string> inputs;
    for (;;) {
      const auto status = source.read(7, inputs);
      if (const auto* problem = std::get_if<SourceError>(&status)) error = problem->message;
      if (!error.empty() || std::get<SourceStatus>(status) == SourceStatus::kEnd) return inputs;
    }
  }

  TemporaryFolder state_;
  SubmissionFolder submission_;
};

TEST_F(SubmissionTest, InputsOfAllBytesComeAsTheyWere) {
  std::vector<std::string> inputs{"", std::string("a\0\n", 3), std::string(200'000, 'x')};
  for (int number = 0; number < 1000; ++number)
    inputs.push_back(std::to_string(number));
  submission_.append(0, stream_of(inputs));
  end();
  const auto reader = source();
  std::string error;
  EXPECT_EQ(inputs, read_all(*reader, error));
  EXPECT_EQ("", error);
  EXPECT_EQ(3U, reader->skipped());
}

TEST_F(SubmissionTest, TheReaderWaitsForWhatIsStillToCome) {
  const std::vector<std::string> inputs{"one", "two", "three", "four"};
  const std::string stream = stream_of(inputs);
  std::vector<std::string> read;
  std::string error;
  std::thread reader([&] { read = read_all(*source(), error); });
  for (std::size_t at = 0; at < stream.size(); at += 3) {
    submission_.append(at, stream.substr(at, 3));
    std::this_thread::yield();
  }
  end();
  reader.join();
  EXPECT_EQ(inputs, read);
  EXPECT_EQ("", error);
}

TEST_F(SubmissionTest, AnInterruptEndsTheWait) {
  const auto reader = source();
  std::thread interrupter([&] { reader->interrupt(); });
  std::string error;
  EXPECT_TRUE(read_all(*reader, error).empty());
  interrupter.join();
}

TEST_F(SubmissionTest, WhatIsLackingIsAnErrorBehindWhatHasCome) {
  std::string stream = stream_of({"one", "two"});
  submission_.append(0, stream.substr(0, stream.size() - 1));
  end("nobody brings the rest");
  std::string error;
  EXPECT_EQ(std::vector<std::string>{"one"}, read_all(*source(), error));
  EXPECT_EQ("nobody brings the rest", error);
}

TEST_F(SubmissionTest, AStreamThatIsNoneIsAnError) {
  submission_.append(0, std::string("\xff\xff\xff\xff and more", 13));
  end();
  std::string error;
  EXPECT_TRUE(read_all(*source(), error).empty());
  EXPECT_NE("", error);
}

TEST_F(SubmissionTest, OnlyWhatFollowsIsTaken) {
  submission_.append(0, "abcdef");
  submission_.append(9, "later");
  submission_.append(2, "cd");
  submission_.append(4, "efgh");
  EXPECT_EQ(8U, submission_.received());
  proto::InputsEnd early;
  early.set_bytes(10);
  submission_.end(early);
  EXPECT_FALSE(submission_.complete());
  end();
  EXPECT_TRUE(submission_.complete());
  submission_.append(8, "more");
  EXPECT_EQ(8U, submission_.received());
}

TEST_F(SubmissionTest, ItIsFoundAgain) {
  submission_.append(0, "abc");
  submission_.record_port(5561);
  EXPECT_EQ(std::vector<std::string>{kRun}, list_served_runs(state_.path()));
  auto again = SubmissionFolder::open(state_.path(), kRun);
  ASSERT_TRUE(std::holds_alternative<SubmissionFolder>(again));
  SubmissionFolder& folder = std::get<SubmissionFolder>(again);
  EXPECT_EQ(3U, folder.received());
  EXPECT_EQ(5561U, folder.submitted().port());
  EXPECT_FALSE(folder.complete());
  EXPECT_FALSE(folder.outcome());
  proto::RunOutcome outcome;
  outcome.set_exit_code(4);
  folder.record_outcome(outcome);
  EXPECT_EQ(4U,
            std::get<SubmissionFolder>(SubmissionFolder::open(state_.path(), kRun)).outcome()->exit_code());
  EXPECT_TRUE(std::holds_alternative<std::string>(
      SubmissionFolder::open(state_.path(), "01JD3K7Q5W8XVYB2M4N6P8R0SX")));
}

TEST(SubmissionCheck, OnlyFlagsOfARun) {
  proto::SubmittedRun run = echo_run();
  run.add_run_flags("--retries=3");
  run.add_run_flags("--halt=now,fail=1");
  run.add_run_flags("--first");
  EXPECT_NE("", check_submission(run));  // not together
  run.mutable_run_flags()->RemoveLast();
  EXPECT_EQ("", check_submission(run));
  for (const char* flag :
       {"--bind=tcp://*:1", "--state-dir=/etc", "--help", "submitted", "--retries=many", "-x"}) {
    proto::SubmittedRun other = echo_run();
    other.add_run_flags(flag);
    EXPECT_NE("", check_submission(other)) << flag;
  }
  EXPECT_NE("", check_submission({}));
  run.mutable_generated()->set_count(~std::uint64_t{0});
  EXPECT_NE("", check_submission(run));
}

TEST(SubmissionCheck, OnlyHowRowsLook) {
  proto::OpenSink open;
  open.add_output_flags("--keep-order");
  open.add_output_flags("--format=csv");
  open.add_output_flags("--progress=tty");
  EXPECT_EQ("", check_submitted_output(open.output_flags()));
  for (const char* flag :
       {"--output=/etc/passwd", "--report=x", "--joblog=x", "--bind=tcp://*:1", "--help", "--format=xml"}) {
    proto::OpenSink other;
    other.add_output_flags(flag);
    EXPECT_NE("", check_submitted_output(other.output_flags())) << flag;
  }
}

}  // namespace
}  // namespace fantail
