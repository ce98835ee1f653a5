// How many jobs a lane message carries.
#include <gtest/gtest.h>

#include "tests/support/dispatch_scene.h"
#include "ventilator/dispatcher.h"

namespace fantail {
namespace {

using Jobs = std::vector<JobId>;

// A scene whose sink is there and has answered once.
class DispatcherBatchesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    scene.open_sink();
    scene.answer();
  }
  DispatchScene scene;
  RecordingDispatchOutbox& out = scene.out;
};

TEST_F(DispatcherBatchesTest, BatchesGrowWhenJobsAreShort) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(100000, scene.now, out);
  scene.deliver();
  scene.workers["a"].mean_job_ns = 40'000;
  scene.finish("a", 2);
  // 8 ms of work beyond the slot: 200 jobs; the one for the free slot goes first.
  EXPECT_EQ(scene.deliver("a").size(), 201u);
  scene.finish("a", 40);
  EXPECT_EQ(scene.deliver("a"), Jobs{}) << "no message before a quarter of the window is free";
  scene.finish("a", 20);
  EXPECT_EQ(scene.deliver("a").size(), 60u);
}

TEST_F(DispatcherBatchesTest, LessIsAheadWhereJobsAreNotShort) {
  scene.join("a", 4);
  scene.dispatcher.on_spooled(1000, scene.now, out);
  scene.deliver();
  scene.workers["a"].mean_job_ns = 2'000'001;
  scene.finish("a", 5);
  EXPECT_EQ(scene.deliver("a").size(), 7u) << "2 ms of work for 4 slots";
  scene.workers["a"].mean_job_ns = 2'000'000;
  scene.finish("a", 7);
  EXPECT_EQ(scene.deliver("a").size(), 20u) << "8 ms";
}

TEST_F(DispatcherBatchesTest, OneMessageCarriesNoMoreThanTheLargestBatch) {
  scene.join("a", 1);
  scene.dispatcher.on_spooled(100000, scene.now, out);
  scene.deliver();
  scene.workers["a"].mean_job_ns = 800;
  scene.finish("a", 2);
  std::size_t jobs = 0;
  for (const auto& batch : scene.deliver()) {
    EXPECT_LE(batch.batch.count(), 4096u);
    jobs += batch.batch.count();
  }
  EXPECT_EQ(jobs, 1 + 2 * 4096u) << "what is left of the window is less than a quarter of it";
}

TEST_F(DispatcherBatchesTest, OneMessageCarriesNoMoreThanAMebibyte) {
  out.input_bytes = 100 << 10;
  scene.join("a", 1);
  scene.dispatcher.on_spooled(1000, scene.now, out);
  scene.deliver();
  scene.workers["a"].mean_job_ns = 1000;
  scene.finish("a", 2);
  const auto batches = scene.deliver();
  ASSERT_GT(batches.size(), 5u);
  for (const auto& batch : batches)
    EXPECT_LE(batch.batch.count(), 10u);
  EXPECT_EQ(batches[1].batch.count(), 10u);
  EXPECT_EQ(scene.dispatcher.pending() + scene.workers["a"].active.size() + 2, 1000u) << "none is lost";
}

TEST_F(DispatcherBatchesTest, AnInputLargerThanThatTravelsAlone) {
  out.input_bytes = 5 << 20;
  scene.join("a", 4);
  scene.dispatcher.on_spooled(10, scene.now, out);
  for (const auto& batch : scene.deliver())
    EXPECT_EQ(batch.batch.count(), 1u);
  EXPECT_EQ(scene.workers["a"].active.size(), 5u);
}

TEST_F(DispatcherBatchesTest, LongJobsAreNotHoarded) {
  scene.join("a", 4);
  scene.dispatcher.on_spooled(100, scene.now, out);
  EXPECT_EQ(scene.deliver("a").size(), 5u);
  scene.workers["a"].mean_job_ns = 10'000'000'000;
  scene.finish("a", 1);
  EXPECT_EQ(scene.deliver("a").size(), 1u);
}

TEST_F(DispatcherBatchesTest, NearTheEndNobodySitsOnTheLastJobs) {
  scene.join("a", 1);
  scene.join("b", 1);
  scene.dispatcher.on_spooled(44, scene.now, out);
  scene.deliver();
  scene.dispatcher.on_input_end(true, 0, scene.now, out);
  scene.workers["a"].mean_job_ns = 1000;
  scene.finish("a", 2);
  EXPECT_LE(scene.deliver("a").size(), 12u) << "40 are left, and there is another worker";
}

TEST_F(DispatcherBatchesTest, TheLongestOfTheWaitingJobsGoFirst) {
  scene.join("a", 1);
  scene.join("b", 1);
  scene.dispatcher.on_spooled(100, scene.now, out);
  const auto first = scene.deliver();
  EXPECT_EQ(scene.jobs_for("a", first), (Jobs{0, 2}));
  EXPECT_EQ(scene.jobs_for("b", first), (Jobs{1, 3}));
  scene.dispatcher.on_longest({60, 1, 99, 70});
  scene.dispatcher.on_input_end(true, 0, scene.now, out);
  scene.workers["a"].mean_job_ns = 100'000;
  scene.workers["b"].mean_job_ns = 100'000;
  scene.finish("a", 2);
  EXPECT_EQ(scene.deliver("a"), Jobs{60}) << "nothing is to wait behind a long job";
  scene.finish("b", 2);
  EXPECT_EQ(scene.deliver("b"), Jobs{99}) << "1 was given before";
  scene.finish("b");
  EXPECT_EQ(scene.deliver("b"), Jobs{70});
  scene.finish("b");
  EXPECT_EQ(scene.deliver("b").front(), 4U);
}

TEST_F(DispatcherBatchesTest, AWorkerMayHaveALongJobInEachSlot) {
  scene.join("a", 2);
  scene.dispatcher.on_spooled(100, scene.now, out);
  scene.deliver();
  scene.dispatcher.on_longest({60, 99, 70});
  scene.finish("a", 3);
  EXPECT_EQ(scene.deliver("a"), (Jobs{60, 99}));
}

TEST_F(DispatcherBatchesTest, LongJobsEndWithAStoppedRun) {
  scene.open_sink();
  scene.dispatcher.on_spooled(10, scene.now, out);
  scene.dispatcher.on_longest({7});
  scene.stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  EXPECT_EQ(scene.dispatcher.pending(), 0U);
}

}  // namespace
}  // namespace fantail
