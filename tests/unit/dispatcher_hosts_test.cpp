// Politeness through the dispatcher: hosts, permits, and the events of workers.
#include <gtest/gtest.h>

#include "tests/support/dispatch_scene.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using Jobs = std::vector<JobId>;

DispatchPolicy polite(std::uint32_t per_host, Duration delay = Duration{0}) {
  DispatchPolicy policy = DispatchScene::make_policy();
  policy.hosts = {per_host, delay};
  return policy;
}

class DispatcherHostsTest : public ::testing::Test {
 protected:
  // One worker with ten slots and a job for each host named.
  void begin(const DispatchPolicy& policy, const std::vector<std::string>& hosts) {
    scene.emplace(policy);
    scene->out.hosts = hosts;
    scene->open_sink();
    scene->answer();
    scene->join("a", 10);
    for (const std::string& host : hosts)
      scene->dispatcher.on_spooled_job({host, {}, 0});
    scene->tick();
  }
  void tell(proto::HostEvent::Type type, JobId job, const std::string& host, const WorkerId& worker = "a") {
    scene->dispatcher.on_worker(
        scene->from_worker(worker,
                           [&](proto::WorkerToVentilator& message) {
                             message.mutable_host_events()->set_run_id(DispatchScene::make_spec().run_id());
                             proto::HostEvent& event = *message.mutable_host_events()->add_events();
                             event.set_type(type);
                             event.set_job(job);
                             event.set_host(host);
                           }),
        scene->now, scene->out);
  }
  std::optional<DispatchScene> scene;
};

TEST_F(DispatcherHostsTest, WhatTheSinkKnowsAsDoneBeforeItIsSpooledDoesNotRunAgain) {
  scene.emplace(polite(2));
  scene->out.hosts = {"x", "x", "x"};
  scene->open_sink();
  scene->answer({{0, 2}});
  scene->join("a", 10);
  for (const std::string& host : scene->out.hosts)
    scene->dispatcher.on_spooled_job({host, {}, 0});
  scene->tick();
  EXPECT_EQ(scene->deliver("a"), (Jobs{2}));
}

TEST_F(DispatcherHostsTest, NoHostGetsMoreThanItsShareOfTheRun) {
  begin(polite(2), {"x", "x", "x", "x", "y"});
  EXPECT_EQ(scene->deliver("a"), (Jobs{0, 1, 4}));
  EXPECT_EQ(scene->dispatcher.pending(), 2u);
  tell(proto::HostEvent::FINISHED, 0, "");
  EXPECT_EQ(scene->deliver("a"), (Jobs{2}));
}

TEST_F(DispatcherHostsTest, TheLimitHoldsAcrossWorkers) {
  begin(polite(1), {"x", "x", "y"});
  scene->deliver();
  scene->join("b", 10);
  EXPECT_TRUE(scene->out.batches.empty()) << "x is busy at the other worker";
  tell(proto::HostEvent::FINISHED, 0, "");
  EXPECT_EQ(scene->deliver().size(), 1u);
}

TEST_F(DispatcherHostsTest, TheDelayRunsFromTheWrittenRequest) {
  begin(polite(0, milliseconds(300)), {"x", "x"});
  EXPECT_EQ(scene->deliver("a"), (Jobs{0}));
  scene->sink_answers = true;
  scene->advance(milliseconds(1000), {"a"});
  EXPECT_TRUE(scene->out.batches.empty());
  tell(proto::HostEvent::WRITTEN, 0, "x");
  const Instant written = scene->now;
  EXPECT_LE(scene->dispatcher.on_tick(scene->now, scene->out), written + milliseconds(300));
  scene->now = written + milliseconds(299);
  scene->tick();
  EXPECT_TRUE(scene->out.batches.empty());
  scene->now = written + milliseconds(300);
  scene->tick();
  EXPECT_EQ(scene->deliver("a"), (Jobs{1}));
}

TEST_F(DispatcherHostsTest, ARedirectedJobGetsItsPermitWhenTheHostIsFree) {
  begin(polite(1), {"x", "y"});
  scene->deliver();
  tell(proto::HostEvent::WANTED, 0, "y");
  EXPECT_TRUE(scene->out.to_worker.empty());
  tell(proto::HostEvent::FINISHED, 1, "");
  const auto sent = scene->out.to_worker.take();
  EXPECT_EQ(sent.worker, "a");
  EXPECT_EQ(sent.message.permit().job(), 0u);
  EXPECT_EQ(sent.message.permit().host(), "y");
  EXPECT_EQ(sent.message.permit().run_id(), DispatchScene::make_spec().run_id());
  EXPECT_TRUE(scene->out.to_worker.empty());
}

TEST_F(DispatcherHostsTest, AJobThatNobodyHoldsGetsNoPermitAndKeepsNone) {
  begin(polite(1), {"x", "y", "y"});
  scene->deliver();
  tell(proto::HostEvent::WANTED, 0, "z");
  scene->out.to_worker.clear();
  tell(proto::HostEvent::WANTED, 0, "y");
  scene->advance(milliseconds(5));
  scene->answer({{0, 1}});  // its outcome is known
  tell(proto::HostEvent::FINISHED, 1, "");
  EXPECT_TRUE(scene->out.to_worker.empty());
  EXPECT_EQ(scene->deliver("a"), (Jobs{2})) << "the permit went on";
}

TEST_F(DispatcherHostsTest, TheLogFreesAHostToo) {
  begin(polite(1), {"x", "x"});
  scene->deliver();
  scene->advance(milliseconds(5));
  scene->answer({{0, 1}});  // the worker's event was lost
  EXPECT_EQ(scene->deliver("a"), (Jobs{1}));
}

TEST_F(DispatcherHostsTest, ALostWorkersJobsWaitAtTheirHostsAgain) {
  begin(polite(1), {"x", "x"});
  scene->deliver();
  scene->join("b", 1);
  scene->advance(milliseconds(5), {"b"});
  scene->answer();
  scene->say_goodbye("a");
  scene->advance(milliseconds(5), {"b"});
  scene->answer();
  EXPECT_EQ(scene->deliver("b"), (Jobs{0})) << "before the others of its host";
}

TEST_F(DispatcherHostsTest, AJobWhoseResultCameLateIsNotGivenAgain) {
  begin(polite(1), {"x", "x", "x"});
  scene->deliver();
  scene->join("b", 1);
  scene->advance(milliseconds(5), {"b"});
  scene->answer({{1, 2}});  // an older attempt had brought it
  tell(proto::HostEvent::FINISHED, 0, "");
  const auto batches = scene->deliver();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].jobs(), (Jobs{2}));
}

TEST_F(DispatcherHostsTest, EventsOfOtherRunsAndJobsAreIgnored) {
  begin(polite(1), {"x", "x"});
  scene->deliver();
  const std::uint64_t before = scene->dispatcher.hash();
  tell(proto::HostEvent::FINISHED, 7, "");
  tell(proto::HostEvent::WANTED, std::uint64_t{1} << 63, "y");
  tell(proto::HostEvent::UNSPECIFIED, 0, "x");
  scene->dispatcher.on_worker(scene->from_worker("a",
                                                 [](proto::WorkerToVentilator& message) {
                                                   message.mutable_host_events()->set_run_id("another");
                                                   proto::HostEvent& event =
                                                       *message.mutable_host_events()->add_events();
                                                   event.set_type(proto::HostEvent::FINISHED);
                                                 }),
                              scene->now, scene->out);
  EXPECT_EQ(scene->dispatcher.hash(), before);
  EXPECT_TRUE(scene->out.batches.empty());
}

TEST_F(DispatcherHostsTest, AdoptedJobsAreNotGivenToOthers) {
  scene.emplace(polite(1));
  scene->out.hosts = {"x", "y", "z"};
  scene->open_sink();
  scene->answer();
  for (const std::string& host : scene->out.hosts)
    scene->dispatcher.on_spooled_job({host, {}, 0});
  scene->say_hello("a", 3, {{0, 2}});
  scene->dispatcher.on_lane_open("a", scene->now, scene->out);
  EXPECT_EQ(DispatchScene::jobs_for("a", scene->out.batches.take_all()), (Jobs{2}));
}

TEST_F(DispatcherHostsTest, StoppingTakesTheJobsOutOfAllQueues) {
  begin(polite(1), {"x", "x", "y", "x"});
  EXPECT_EQ(scene->deliver("a"), (Jobs{0, 2}));
  scene->stop(proto::RUN_END_INTERRUPTED, proto::STOP_QUEUED);
  EXPECT_EQ(scene->out.proposals.take().jobs, (Spans{{1, 2}, {3, 4}}));
  EXPECT_EQ(scene->dispatcher.pending(), 0u);
}

// A job at hand beyond the slots would keep the permit that the one in the slot waits for.
TEST_F(DispatcherHostsTest, NobodyHoldsMoreThanItsSlots) {
  scene.emplace(polite(1));
  scene->out.hosts = {"x", "y"};
  scene->open_sink();
  scene->answer();
  scene->join("a", 1);
  for (const std::string& host : scene->out.hosts)
    scene->dispatcher.on_spooled_job({host, {}, 0});
  scene->tick();
  EXPECT_EQ(scene->deliver("a"), (Jobs{0}));
}

TEST_F(DispatcherHostsTest, APermitThatWasLostIsSentAgain) {
  begin(polite(1), {"x"});
  scene->deliver();
  tell(proto::HostEvent::WRITTEN, 0, "x");
  tell(proto::HostEvent::WANTED, 0, "y");
  EXPECT_TRUE(scene->out.to_worker.take().message.has_permit());
  tell(proto::HostEvent::WANTED, 0, "y");
  const auto again = scene->out.to_worker.take();
  EXPECT_EQ(again.message.permit().job(), 0u);
  EXPECT_EQ(again.message.permit().host(), "y");
  EXPECT_TRUE(scene->out.to_worker.empty());
}

// It cannot be told to stop, and would occupy its slot for ever.
TEST_F(DispatcherHostsTest, WhoRunsAJobOfAnotherGetsItsPermitToo) {
  begin(polite(1), {"x", "y"});
  scene->deliver();
  scene->join("b", 1);
  scene->out.to_worker.clear();
  tell(proto::HostEvent::WANTED, 0, "y", "b");
  EXPECT_TRUE(scene->out.to_worker.empty()) << "y is busy";
  tell(proto::HostEvent::FINISHED, 1, "");
  const auto permit = scene->out.to_worker.take();
  EXPECT_EQ(permit.worker, "b");
  EXPECT_EQ(permit.message.permit().job(), 0u);
  scene->dispatcher.on_spooled_job({"y", {}, 0});
  scene->out.hosts.push_back("y");
  scene->tick();
  EXPECT_EQ(scene->deliver().size(), 1u) << "nobody would give its permit back";
}

TEST_F(DispatcherHostsTest, AJobThatIsDoneIsNotAdopted) {
  scene.emplace(polite(1));
  scene->out.hosts = {"x", "x"};
  scene->open_sink();
  for (const std::string& host : scene->out.hosts)
    scene->dispatcher.on_spooled_job({host, {}, 0});
  scene->tick();
  scene->answer({{0, 1}});
  scene->say_hello("a", 1, {{0, 1}});  // it has not heard that its result is durable
  scene->dispatcher.on_lane_open("a", scene->now, scene->out);
  scene->workers["a"] = {};
  scene->report("a");
  EXPECT_EQ(DispatchScene::jobs_for("a", scene->out.batches.take_all()), (Jobs{1})) << "x is free";
}

}  // namespace
}  // namespace fantail
