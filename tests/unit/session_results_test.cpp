// The session towards the sink: results, kept and sent again until they are durable.
#include <gtest/gtest.h>

#include "tests/support/session_scene.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SessionResultsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    scene.set_up();
    scene.send_lane(SessionScene::lane_of(2, 0, 10));
    scene.forget();
  }
  // So many seconds in which the sink answers every heartbeat.
  void live(int count) {
    for (int second = 0; second < count; ++second) {
      scene.sink_welcome();
      scene.advance(seconds(1));
    }
  }
  SessionScene scene;
  RecordingSessionOutbox& out = scene.out;
};

TEST(SessionProbe, AnEmptyMessageTriesTheSinksDataPort) {
  SessionScene scene;
  scene.tick();
  scene.welcome();
  scene.begin_run();
  EXPECT_TRUE(scene.out.results.empty()) << "nobody has said where the data port is";
  scene.sink_welcome();
  EXPECT_EQ(scene.out.data_ports.take(), SessionScene::kDataPort);
  const auto probe = scene.out.results.take();
  EXPECT_EQ(probe.run_id(), SessionScene::kRun);
  EXPECT_EQ(probe.sequence(), 1u);
  EXPECT_EQ(probe.count(), 0u);
}

TEST_F(SessionResultsTest, ColumnsThatSayNothingAreLeftOut) {
  scene.complete(
      {SessionScene::completion_of(3, JobResult::ok("")), SessionScene::completion_of(4, JobResult::ok(""))});
  const auto results = out.results.take();
  EXPECT_EQ(results.run_id(), SessionScene::kRun);
  EXPECT_EQ(results.worker_id(), "worker-id-012345");
  EXPECT_EQ(results.sequence(), 2u);
  EXPECT_EQ(results.first_job(), 3u);
  EXPECT_EQ(strings_of(results.inputs(), 2), (std::vector<std::string>{"input 3", "input 4"}));
  EXPECT_EQ(results.jobs_size(), 0);
  EXPECT_FALSE(results.has_payloads());
  EXPECT_EQ(results.statuses_size(), 0);
  EXPECT_EQ(results.attempts_size(), 0);
  EXPECT_EQ(results.failures_size(), 0);
  EXPECT_EQ(results.queued_us(0), 30u);
  EXPECT_EQ(results.duration_us(0), 400u);
  EXPECT_TRUE(out.results.empty());
}

TEST_F(SessionResultsTest, ColumnsThatSaySomethingAreWhole) {
  Completion retried = SessionScene::completion_of(9);
  retried.attempt = 2;
  retried.queued = milliseconds(-1);
  scene.complete({SessionScene::completion_of(3, JobResult::ok("")),
                  SessionScene::completion_of(5, JobResult::failed("not_found", "no such file", "part")),
                  retried});
  const auto results = out.results.take();
  ASSERT_EQ(results.jobs_size(), 3);
  EXPECT_EQ(results.jobs(1), 5u);
  EXPECT_EQ(strings_of(results.payloads(), 3), (std::vector<std::string>{"", "part", "payload"}));
  EXPECT_EQ(results.statuses(0), proto::STATUS_OK);
  EXPECT_EQ(results.statuses(1), proto::STATUS_FAILED);
  EXPECT_EQ(results.attempts(2), 2u);
  EXPECT_EQ(results.queued_us(2), 0u) << "clocks that go backwards";
  ASSERT_EQ(results.failures_size(), 1);
  EXPECT_EQ(results.failures(0).index(), 1u);
  EXPECT_EQ(results.failures(0).code(), "not_found");
  EXPECT_EQ(results.failures(0).message(), "no such file");
}

TEST_F(SessionResultsTest, JobsThatItDoesNotHoldAreNobodys) {
  scene.complete({SessionScene::completion_of(99), SessionScene::completion_of(0)});
  EXPECT_EQ(out.results.take().count(), 1u);
  scene.complete({SessionScene::completion_of(0)});
  EXPECT_TRUE(out.results.empty()) << "finished once";
  std::vector<Completion> completions;
  for (const JobId job : {0U, 1U, 2U, 98U})
    completions.push_back(SessionScene::completion_of(job, JobResult::failed("bad", std::to_string(job))));
  scene.session.on_completions({SessionScene::batch_of(std::move(completions))}, scene.now, out);
  const auto results = out.results.take();
  EXPECT_EQ(results.first_job(), 1u);
  EXPECT_EQ(results.count(), 2u);
  EXPECT_EQ(results.failures(0).index(), 0u);
  EXPECT_EQ(results.failures(0).message(), "1");
  EXPECT_EQ(results.failures(1).message(), "2");
}

TEST_F(SessionResultsTest, ResultsAreSentAgainAtGrowingIntervals) {
  scene.complete_range({0, 1});
  const std::string first = out.results.take().SerializeAsString();
  std::vector<int> sent_at_ms;
  const Instant start = scene.now;
  while (scene.now < start + seconds(100)) {
    scene.advance(milliseconds(50));
    scene.sink_welcome();
    for (const auto& results : out.results.take_all()) {
      EXPECT_EQ(results.SerializeAsString(), first);
      sent_at_ms.push_back(static_cast<int>((scene.now - start).count() / 1000));
    }
  }
  EXPECT_EQ(sent_at_ms, (std::vector<int>{4000, 12000, 28000, 60000, 92000}));
}

TEST_F(SessionResultsTest, DurableResultsAreForgotten) {
  scene.complete_range({0, 1});
  scene.complete_range({1, 2});
  out.results.clear();
  scene.durable({2, 77});
  scene.durable({3}, "another");
  live(4);
  EXPECT_EQ(out.results.take().first_job(), 1u);
  EXPECT_TRUE(out.results.empty());
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{1, 10}}));
}

TEST_F(SessionResultsTest, ASilentSinkIsNotSentCopies) {
  scene.complete_range({0, 1});
  out.results.clear();
  scene.advance(seconds(60));
  EXPECT_TRUE(out.results.empty());
  live(3);
  EXPECT_TRUE(out.results.empty()) << "the first one may be about to arrive";
  live(1);
  EXPECT_EQ(out.results.size(), 1u);
}

TEST_F(SessionResultsTest, WhatTheSinkPassedOverIsSentAgainAtOnce) {
  for (JobId id = 0; id < 3; ++id)
    scene.complete_range({id, id + 1});
  out.results.clear();
  scene.durable({3});
  EXPECT_EQ(out.results.take().first_job(), 0u) << "sent before what arrived";
  EXPECT_TRUE(out.results.empty()) << "the later one is on its way";
  scene.durable({4});
  EXPECT_TRUE(out.results.empty()) << "the copy was sent after it";
}

TEST_F(SessionResultsTest, ANewSinkGetsAllThatIsNotDurable) {
  scene.complete_range({0, 1});
  scene.complete_range({1, 2});
  scene.durable({2});
  out.results.clear();
  scene.sink_welcome(SessionScene::kDataPort, 5);
  EXPECT_TRUE(out.results.empty()) << "the same one";
  scene.sink_welcome(SessionScene::kDataPort, 6);
  EXPECT_TRUE(out.data_ports.empty());
  EXPECT_EQ(out.results.take().first_job(), 1u);
  EXPECT_TRUE(out.results.empty());
}

TEST_F(SessionResultsTest, ASinkWithAnotherDataPortIsConnectedAnew) {
  scene.complete_range({0, 1});
  out.results.clear();
  scene.sink_welcome(6000, 6);
  EXPECT_EQ(out.data_ports.take(), 6000u);
  EXPECT_EQ(out.results.size(), 1u);
  EXPECT_EQ(scene.session.waits_for(), Session::WaitsFor::kSinkData);
}

TEST_F(SessionResultsTest, ALargeBatchIsSplit) {
  scene.send_lane(SessionScene::lane_of(3, 10, 9000));
  scene.forget();
  scene.complete_range({0, 9010});
  std::vector<std::uint32_t> counts;
  for (const auto& results : out.results.take_all())
    counts.push_back(results.count());
  EXPECT_EQ(counts, (std::vector<std::uint32_t>{4096, 4096, 818}));
}

TEST_F(SessionResultsTest, LargePayloadsTravelApart) {
  std::vector<Completion> completions;
  for (const JobId id : {0U, 1U, 2U})
    completions.push_back(SessionScene::completion_of(id, JobResult::ok(std::string(400'000, 'x'))));
  scene.complete(std::move(completions));
  EXPECT_EQ(out.results.take().count(), 2u);
  EXPECT_EQ(out.results.take().count(), 1u);
}

TEST_F(SessionResultsTest, AResultBeyondTheLimitBecomesAFailureThatSaysSo) {
  scene.complete({SessionScene::completion_of(0, JobResult::ok(std::string(17 << 20, 'x')))});
  const auto results = out.results.take();
  EXPECT_EQ(results.statuses(0), proto::STATUS_FAILED);
  EXPECT_FALSE(results.has_payloads());
  EXPECT_EQ(results.failures(0).code(), "result_too_large");
}

TEST_F(SessionResultsTest, AWorkerThatKeepsTooMuchAsksForNoMore) {
  std::vector<std::uint64_t> sequences;
  for (JobId id = 0; id < 3; ++id) {
    scene.complete({SessionScene::completion_of(id, JobResult::ok(std::string(7 << 20, 'x')))});
    sequences.push_back(out.results.take().sequence());
    EXPECT_EQ(scene.last_status().blocked(), id == 2) << "16 MiB are the limit";
  }
  scene.durable({sequences[0]});
  EXPECT_FALSE(scene.last_status().blocked()) << "says so at once";
}

TEST_F(SessionResultsTest, TheMeanFollowsTheJobs) {
  scene.complete_range({0, 1});
  EXPECT_EQ(scene.last_status().mean_job_ns(), 400'000u);
  Completion longer = SessionScene::completion_of(1);
  longer.duration = milliseconds(4);
  scene.complete({longer});
  EXPECT_EQ(scene.last_status().mean_job_ns(), 580'000u) << "a twentieth of the way";
}

TEST_F(SessionResultsTest, JobsOfNoTimeStillCountAsMeasured) {
  Completion quick = SessionScene::completion_of(0);
  quick.duration = Duration{0};
  scene.complete({quick});
  EXPECT_EQ(scene.last_status().mean_job_ns(), 1u) << "zero would say unknown";
}

class SessionOutputTest : public SessionResultsTest {
 protected:
  static proto::JobOutput piece(JobId job, std::uint64_t offset, std::size_t bytes) {
    proto::JobOutput output;
    output.set_job(job);
    output.set_offset(offset);
    output.set_data(std::string(bytes, 'x'));
    return output;
  }
  void write(std::vector<proto::JobOutput> pieces) {
    scene.session.on_outputs(std::move(pieces), scene.now, out);
  }
};

TEST_F(SessionOutputTest, TravelsAsResultsWithoutOutcomes) {
  write({piece(3, 65536, 100), piece(4, 0, 50)});
  for (const auto& [job, offset] : {std::pair(3U, 65536U), std::pair(4U, 0U)}) {
    const auto results = out.results.take();
    EXPECT_EQ(results.count(), 0u);
    EXPECT_EQ(results.run_id(), SessionScene::kRun);
    ASSERT_EQ(results.outputs_size(), 1);
    EXPECT_EQ(results.outputs(0).job(), job);
    EXPECT_EQ(results.outputs(0).offset(), offset);
  }
  EXPECT_TRUE(out.results.empty());
  scene.advance(seconds(1));
  EXPECT_EQ(get_ranges(scene.last_status().holding()), (Spans{{0, 10}})) << "the jobs go on";
}

TEST_F(SessionOutputTest, IsKeptUntilItIsDurable) {
  write({piece(3, 0, 100), piece(3, 100, 200)});
  const std::uint64_t first = out.results.take().sequence();
  const std::uint64_t second = out.results.take().sequence();
  live(4);
  EXPECT_EQ(out.results.size(), 2u) << "sent again as results are";
  EXPECT_TRUE(out.durable_outputs.empty());
  scene.durable({second, second});
  EXPECT_EQ(out.durable_outputs.take(), (std::pair<JobId, std::uint64_t>{3, 200}));
  EXPECT_EQ(out.results.size(), 3u) << "the first was sent before what arrived";
  scene.durable({first});
  EXPECT_EQ(out.durable_outputs.take(), (std::pair<JobId, std::uint64_t>{3, 100}));
  scene.durable({first});
  EXPECT_TRUE(out.durable_outputs.empty());
}

TEST_F(SessionOutputTest, WhatIsPassedOverIsSentAgainAtOnce) {
  write({piece(3, 0, 100)});
  scene.complete_range({0, 1});
  out.results.clear();
  scene.durable({3});
  EXPECT_EQ(out.results.take().outputs_size(), 1) << "sent before the results that arrived";
  EXPECT_TRUE(out.durable_outputs.empty());
}

TEST_F(SessionOutputTest, ANewSinkGetsIt) {
  write({piece(3, 0, 100)});
  out.results.clear();
  scene.sink_welcome(SessionScene::kDataPort, 6);
  EXPECT_EQ(out.results.take().outputs(0).data().size(), 100u);
}

TEST_F(SessionOutputTest, OfAFormerRunIsNobodys) {
  write({piece(99, 0, 100)});
  EXPECT_TRUE(out.results.empty());
}

TEST_F(SessionOutputTest, CountsAsKept) {
  std::vector<std::uint64_t> sequences;
  for (int count = 0; count < 3; ++count) {
    write({piece(3, 0, 7 << 20)});
    sequences.push_back(out.results.take().sequence());
  }
  scene.complete_range({0, 1});
  EXPECT_TRUE(scene.last_status().blocked());
  scene.durable({sequences[0]});
  EXPECT_FALSE(scene.last_status().blocked());
}

TEST_F(SessionOutputTest, ADrainWaitsForIt) {
  SessionScene alone;
  alone.set_up();
  alone.send_lane(SessionScene::lane_of(2, 0, 1));
  alone.session.on_outputs({piece(0, 0, 100)}, alone.now, alone.out);
  const std::uint64_t sequence = alone.out.results.take().sequence();
  alone.session.on_drain(alone.now, alone.out);
  alone.durable({sequence});
  alone.tick();
  EXPECT_FALSE(alone.session.finished()) << "the job runs";
  alone.complete_range({0, 1});
  alone.durable({alone.out.results.take().sequence()});
  alone.tick();
  EXPECT_TRUE(alone.session.finished());
}

}  // namespace
}  // namespace fantail
