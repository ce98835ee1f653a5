// Processes that are stopped: nothing of them may live on, whatever they did to get away.
#include <fcntl.h>

#include <fstream>

#include "tests/unit/exec_support.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ExecStop : public ExecTest {
 protected:
  ExecStop() { set_grace(milliseconds(500)); }
  ~ExecStop() override {
    stop_.request_stop(StopReason::kCancelled);
    join();
  }
  void set_grace(milliseconds grace) {
    spec().set_grace_us(static_cast<std::uint64_t>(std::chrono::microseconds(grace).count()));
  }
  // Begins the job, and waits until it has made the file "ready".
  void begin(const std::string& text, std::optional<Duration> time_left = std::nullopt) {
    set_shell("cd " + folder_ + "; " + text);
    thread_ = std::thread([this, time_left] {
      job_ = make_processor()->process({.input = "", .id = 3, .time_left = time_left}, stop_);
      ended_ = true;
    });
    ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(path("ready")); }));
  }
  void stop(StopReason reason = StopReason::kCancelled) {
    stopped_at_ = std::chrono::steady_clock::now();
    stop_.request_stop(reason);
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  // Stops it; within the time nothing of it is left and the processor has answered.
  void expect_gone_within(milliseconds time) {
    stop();
    EXPECT_TRUE(wait_until([&] { return ended_ && processes() == 0; }, time)) << processes() << " are left";
    join();
    EXPECT_EQ(job_.status, Status::kCancelled);
    EXPECT_EQ(job_.error_code, "cancelled");
    result_of(job_);
  }
  milliseconds since_stop() const {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - stopped_at_);
  }

  StopToken stop_;
  std::thread thread_;
  std::atomic<bool> ended_ = false;
  JobResult job_;
  std::chrono::steady_clock::time_point stopped_at_;
};

TEST_F(ExecStop, AProcessThatHeedsTermGetsNoMore) {
  set_grace(seconds(20));
  begin("trap 'echo bye; exit 0' TERM; touch ready; while :; do sleep 0.01; done");
  expect_gone_within(seconds(5));
  EXPECT_EQ(result_of(job_).stdout_head(), "bye\n") << "what it wrote last is there";
}

TEST_F(ExecStop, AProcessThatIgnoresTermIsKilledAfterTheGrace) {
  begin("trap '' TERM; touch ready; while :; do sleep 0.01; done");
  expect_gone_within(milliseconds(1500));
  EXPECT_GE(since_stop(), milliseconds(490));
}

TEST_F(ExecStop, AProcessThatIsSuspendedEnds) {
  set_grace(seconds(20));
  begin("touch ready; kill -STOP $$");
  expect_gone_within(seconds(5));
}

TEST_F(ExecStop, OneThatForksTwiceIsFound) {
  begin(
      "(setsid sleep 1000 &); (trap '' TERM; setsid sh -c 'while :; do sleep 1; done' &); touch ready; sleep "
      "1000");
  expect_gone_within(milliseconds(1500));
}

TEST_F(ExecStop, OneThatForksTwiceAndLetsGoOfItsOutputIsFound) {
  begin(
      "(setsid sh -c 'trap \"\" TERM; touch ready; while :; do sleep 1; done' </dev/null >/dev/null 2>&1 &); "
      "sleep 1000");
  expect_gone_within(milliseconds(1500));
}

TEST_F(ExecStop, AGrandchildThatHoldsThePipeEnds) {
  begin("(trap '' TERM; touch ready; while :; do sleep 1; done) & exit 0");
  EXPECT_FALSE(wait_until([&] { return ended_.load(); }, milliseconds(100))) << "the output is open";
  expect_gone_within(milliseconds(1500));
}

TEST_F(ExecStop, OneWithoutAnEnvironmentIsFoundByItsParent) {
  begin(
      "env -i setsid sh -c 'echo $$ > escaped; trap \"\" TERM; touch ready; while :; do sleep 1; done' & "
      "sleep 1000");
  pid_t escaped = 0;
  std::ifstream(path("escaped")) >> escaped;
  expect_gone_within(milliseconds(1500));
  EXPECT_TRUE(wait_until([&] {
    reap_orphans();
    return ::kill(escaped, 0) != 0;
  }));
}

TEST_F(ExecStop, AStormOfForksEnds) {
  begin("touch ready; f() { while :; do sh -c 'sleep 0.02' & sleep 0.005; done; }; trap '' TERM; f & f & f");
  expect_gone_within(seconds(3));
}

TEST_F(ExecStop, TheDeadlineOfTheRunStops) {
  stopped_at_ = std::chrono::steady_clock::now();
  begin("trap '' TERM; touch ready; while :; do sleep 0.01; done", milliseconds(300));
  join();
  EXPECT_EQ(job_.status, Status::kExpired);
  EXPECT_GE(since_stop(), milliseconds(790));
  EXPECT_LT(since_stop(), milliseconds(1800));
  EXPECT_EQ(processes(), 0);
}

TEST_F(ExecStop, AnExpiredRunSaysSo) {
  begin("touch ready; sleep 1000");
  stop(StopReason::kExpired);
  join();
  EXPECT_EQ(job_.status, Status::kExpired);
  EXPECT_EQ(result_of(job_).signal(), static_cast<unsigned>(SIGTERM));
}

TEST_F(ExecStop, WhatIsStoppedBeforeItBeginsDoesNot) {
  set_shell("touch " + path("ready"));
  stop();
  EXPECT_EQ(make_processor()->process({""}, stop_).status, Status::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(path("ready")));
}

TEST_F(ExecStop, OthersOfTheSameRunLiveOn) {
  set_shell("sleep 1000");
  StopToken other_stop;
  std::thread other(
      [&, processor = make_processor()] { processor->process({.input = "", .id = 4}, other_stop); });
  begin("(setsid sleep 1000 &); touch ready; sleep 1000");
  ASSERT_TRUE(wait_until([&] { return processes() == 5; })) << "a shell and a sleep each, and another sleep";
  stop();
  join();
  EXPECT_EQ(processes_of(3), 0);
  EXPECT_EQ(processes_of(4), 2);
  other_stop.request_stop(StopReason::kCancelled);
  other.join();
}

TEST_F(ExecStop, ProcessesDieWithTheirWorker) {
  const pid_t worker = ::fork();
  if (worker == 0) {
    set_shell("touch " + path("ready") + "; exec sleep 1000");
    make_processor()->process({""}, stop_);
    ::_exit(0);
  }
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(path("ready")) && processes() > 0; }));
  ::kill(worker, SIGKILL);
  EXPECT_TRUE(wait_until([&] {
    reap_orphans();
    return processes() == 0;
  }));
}

}  // namespace
}  // namespace fantail
