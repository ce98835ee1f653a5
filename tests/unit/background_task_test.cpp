#include "pipeline/app/background_task.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

namespace fantail {
namespace {

constexpr int kDeadlineMs = 20'000;

bool readable(const BackgroundTask& task, int timeout_ms) {
  pollfd item{task.descriptor(), POLLIN, 0};
  return poll(&item, 1, timeout_ms) == 1;
}

TEST(BackgroundTask, RunsBesideTheCallerAndTellsWhenItIsOver) {
  BackgroundTask task;
  EXPECT_FALSE(task.running());
  EXPECT_FALSE(task.take_finished());
  std::atomic<bool> go = false;
  std::thread::id where;
  task.start([&] {
    go.wait(false);
    where = std::this_thread::get_id();
  });
  EXPECT_TRUE(task.running());
  EXPECT_FALSE(task.take_finished());
  EXPECT_FALSE(readable(task, 0));
  go = true;
  go.notify_all();
  EXPECT_TRUE(readable(task, kDeadlineMs));
  task.wait();
  EXPECT_TRUE(task.running()) << "until it was taken notice of";
  EXPECT_TRUE(task.take_finished());
  EXPECT_FALSE(task.take_finished());
  EXPECT_FALSE(task.running());
  EXPECT_FALSE(readable(task, 0));
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(BackgroundTask, RunsOneAfterTheOther) {
  BackgroundTask task;
  int runs = 0;
  for (int round = 0; round < 1000; ++round) {
    task.start([&runs] { ++runs; });
    task.wait();
    ASSERT_TRUE(task.take_finished());
  }
  EXPECT_EQ(runs, 1000);
}

TEST(BackgroundTask, ItsEndWaitsForTheTask) {
  bool done = false;
  {
    BackgroundTask task;
    task.start([&done] { done = true; });
  }
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace fantail
