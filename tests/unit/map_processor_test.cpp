// Functions as processes: what they are asked, what they answer, how they end.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "pipeline/ulid.h"
#include "tests/support/job_processes.h"
#include "worker/child/orphans.h"
#include "worker/processors/map.h"
#include "worker/processors/processors.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;

class MapProcessorTest : public testing::Test {
 protected:
  MapProcessorTest() {
    former_ = std::signal(SIGPIPE, SIG_IGN);
    adopt_orphans();
    run_.set_run_id(new_ulid());
    spec().set_arguments(1);
    spec().set_grace_us(300'000);
  }
  ~MapProcessorTest() override {
    reap_orphans();
    std::signal(SIGPIPE, former_);
  }

  proto::MapSpec& spec() { return *run_.mutable_kind()->mutable_map(); }
  // A function that runs the text for each line, which is $line.
  void set_body(const std::string& text) {
    spec().clear_command();
    for (const std::string& word :
         {std::string("/bin/sh"), std::string("-c"), "while IFS= read -r line; do " + text + "; done"})
      spec().add_command(word);
    processor_ = make_map_processor(run_);
  }
  JobResult ask(const std::string& input) { return processor_->process({.input = input, .slot = 2}, stop_); }
  static std::string answer_of(const JobResult& job) {
    EXPECT_EQ(job.status, Status::kOk) << job.error_code << ": " << job.error_message;
    proto::MapResult result;
    EXPECT_TRUE(result.ParseFromString(job.payload));
    return result.json();
  }
  int processes() const { return count_processes_with({"FANTAIL_RUN=" + ulid_text(run_.run_id())}); }

  void (*former_)(int);
  proto::RunSpec run_;
  std::unique_ptr<SyncProcessor> processor_;
  StopToken stop_;
};

TEST_F(MapProcessorTest, OneProcessAnswersAll) {
  set_body("n=$((n + 1)); echo \"[ $n, $line, $FANTAIL_SLOT ]\"");
  EXPECT_EQ(processes(), 0) << "it begins with the first job";
  EXPECT_EQ(answer_of(ask("5")), "[1,5,2]");
  EXPECT_EQ(answer_of(ask("x")), R"([2,"x",2])");
  EXPECT_EQ(processes(), 1);
  processor_.reset();
  EXPECT_EQ(processes(), 0);
}

TEST_F(MapProcessorTest, ACrashFailsOneJob) {
  set_body("test $line != 2 || { echo why >&2; exit 3; }; test $line != 4 || kill -9 $$; echo $line");
  EXPECT_EQ(answer_of(ask("1")), "1");
  const JobResult crashed = ask("2");
  EXPECT_EQ(crashed.error_code, "crashed");
  EXPECT_EQ(crashed.error_message, "the function ended before it answered, exit code 3: why");
  EXPECT_TRUE(crashed.passing);
  EXPECT_EQ(answer_of(ask("3")), "3");
  EXPECT_EQ(ask("4").error_message, "the function ended before it answered, killed by SIGKILL");
  EXPECT_EQ(answer_of(ask("5")), "5");
}

TEST_F(MapProcessorTest, OneThatEndedAfterAnAnswerIsStartedAnew) {
  set_body("echo $line; exit 0");
  for (const char* input : {"1", "2", "3"})
    EXPECT_EQ(answer_of(ask(input)), input);
  ASSERT_TRUE(wait_until([&] { return processes() == 0; }));
  EXPECT_EQ(answer_of(ask("4")), "4");
}

TEST_F(MapProcessorTest, WhatIsNoAnswer) {
  set_body("case $line in 1) echo hello;; 2) echo; ;; 3) printf '1\\n2\\n';; *) echo $line;; esac");
  for (const char* input : {"1", "2", "3"}) {
    const JobResult job = ask(input);
    EXPECT_EQ(job.error_code, "bad_answer") << input;
    EXPECT_FALSE(job.passing);
    EXPECT_EQ(answer_of(ask("9")), "9");
  }
}

TEST_F(MapProcessorTest, WhatNobodyAskedForAnswersNothing) {
  std::string pattern = testing::TempDir() + "map.XXXXXX";
  const std::string folder = ::mkdtemp(pattern.data());
  // The second line comes when the first one was taken: together they are a bad answer.
  set_body("echo 1; until test -e " + folder + "/taken; do sleep 0.01; done; echo 2; touch " + folder +
           "/wrote");
  EXPECT_EQ(answer_of(ask("1")), "1");
  std::ofstream(folder + "/taken");
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(folder + "/wrote"); }));
  EXPECT_NE(processor_->process({.input = "5"}, stop_).payload,
            "\n\1"
            "2");
  std::filesystem::remove_all(folder);
}

TEST_F(MapProcessorTest, FunctionsThatAreNotThere) {
  for (const auto& [program, code] :
       {std::pair{"/no/such/function", "not_found"}, {"/etc/passwd", "not_executable"}}) {
    spec().clear_command();
    spec().add_command(program);
    processor_ = make_map_processor(run_);
    const JobResult job = ask("1");
    EXPECT_EQ(job.error_code, code);
    EXPECT_FALSE(job.passing) << "the next attempt would find it no more";
  }
}

TEST_F(MapProcessorTest, BytesThatAreNoText) {
  set_body("echo 1");
  EXPECT_EQ(ask("\xFF").error_code, "bad_input");
  EXPECT_EQ(processes(), 0);
}

TEST_F(MapProcessorTest, OneThatIsStoppedLeavesNothing) {
  set_body("trap '' TERM; (setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' &); sleep 1000");
  std::thread stopper([this] {
    // The function, its helper, and what each of them sleeps in.
    EXPECT_TRUE(wait_until([&] { return processes() >= 4; }));
    stop_.request_stop(StopReason::kTimedOut);
  });
  const JobResult job = ask("1");
  stopper.join();
  EXPECT_EQ(job.error_code, "timeout");
  EXPECT_EQ(processes(), 0);
}

TEST_F(MapProcessorTest, TheDeadlineOfTheRunStops) {
  set_body("sleep 1000");
  const JobResult job = processor_->process({.input = "1", .time_left = milliseconds(100)}, stop_);
  EXPECT_EQ(job.status, Status::kExpired);
  EXPECT_EQ(processes(), 0);
}

TEST(MapKind, IsNotTakenOverANetworkUnlessNamed) {
  const std::vector<std::string> over_network = usual_kinds(true);
  EXPECT_EQ(std::ranges::find(over_network, "map"), over_network.end());
}

}  // namespace
}  // namespace fantail
