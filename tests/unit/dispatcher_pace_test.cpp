// How many jobs may run at a time, and start in a second, over all workers.
#include <gtest/gtest.h>

#include "tests/support/dispatch_scene.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;

std::uint64_t active(const DispatchScene& scene) {
  std::uint64_t jobs = 0;
  for (const auto& [id, worker] : scene.workers)
    jobs += worker.active.size();
  return jobs;
}

DispatchScene scene_with(const DispatchPolicy& policy, std::initializer_list<const char*> workers) {
  DispatchScene scene(policy);
  scene.open_sink();
  scene.answer();
  for (const char* id : workers)
    scene.join(id, 8);
  return scene;
}

TEST(DispatcherPace, KeepsSoManyJobsRunningOverAllWorkers) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.max_running = 3;
  DispatchScene scene = scene_with(policy, {"a", "b"});
  scene.dispatcher.on_spooled(1000, scene.now, scene.out);
  for (int turn = 0; turn < 50; ++turn) {
    scene.deliver();
    ASSERT_EQ(active(scene), 3u);
    for (auto& [id, worker] : scene.workers) {
      worker.mean_job_ns = 1000;  // short jobs get no more
      if (!worker.active.empty()) {
        scene.finish(id);
        break;
      }
    }
  }
}

TEST(DispatcherPace, ADeadWorkersJobsMakeRoom) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.max_running = 2;
  DispatchScene scene = scene_with(policy, {"a", "b"});
  scene.sink_answers = true;
  scene.dispatcher.on_spooled(1000, scene.now, scene.out);
  scene.deliver();
  ASSERT_EQ(scene.workers["a"].active.size(), 2u);
  scene.workers.erase("a");
  scene.advance(std::chrono::seconds(4), {"b"});
  EXPECT_EQ(scene.deliver("b").size(), 2u);
}

TEST(DispatcherPace, AVentilatorThatCameBackWaitsForThoseWhoRunItsJobs) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.max_running = 2;
  DispatchScene scene(policy, FormerLife{10, {}, {}});
  scene.open_sink();
  scene.sink_answers = true;
  scene.answer();
  scene.dispatcher.on_spooled(100, scene.now, scene.out);
  scene.join("a", 8);
  EXPECT_TRUE(scene.deliver().empty()) << "ten jobs may be running";
  scene.advance(std::chrono::seconds(2), {"a"});
  EXPECT_EQ(scene.deliver("a"), (std::vector<JobId>{0, 1}));
}

TEST(DispatcherPace, StartsSoManyJobsInASecond) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.rate = 50;
  DispatchScene scene = scene_with(policy, {"a", "b"});
  scene.dispatcher.on_spooled(1000, scene.now, scene.out);
  const Instant until = scene.now + std::chrono::seconds(2);
  std::uint64_t started = 0;
  while (scene.now < until) {
    const Instant wake = scene.dispatcher.on_tick(scene.now, scene.out);
    started += scene.deliver().size();
    for (const char* id : {"a", "b"})
      scene.finish(id, 8);
    scene.now = std::max(scene.now + milliseconds(1), std::min(wake, scene.now + milliseconds(5)));
    if (scene.question() > scene.answered) scene.answer();
  }
  EXPECT_GE(started, 98u);
  EXPECT_LE(started, 104u);
}

}  // namespace
}  // namespace fantail
