#include "worker/thread_executor.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <optional>
#include <string>

#include "pipeline/net/poller.h"
#include "tests/support/columns.h"
#include "worker/completion.h"

namespace fantail {
namespace {

constexpr std::size_t kPieceBytes = 256 << 10;

// Writes as many pieces as its input says, and waits for room before each.
class Writer : public SyncProcessor {
 public:
  JobResult process(const SyncJob& job, const StopToken& stop) override {
    for (int left = std::stoi(std::string(job.input)); left > 0; --left) {
      while (!job.output->has_room()) {
        pollfd ready[] = {{job.output->descriptor(), POLLIN, 0}, {stop.descriptor(), POLLIN, 0}};
        ::poll(ready, 2, -1);
        if (stop.stop_requested()) return JobResult::stopped(stop.reason());
      }
      proto::JobOutput piece;
      piece.set_data(std::string(kPieceBytes, 'x'));
      job.output->send(std::move(piece));
    }
    return JobResult::ok(std::to_string(job.slot) + (job.time_left ? " limited" : ""));
  }
};

class ThreadExecutorTest : public testing::Test {
 protected:
  ThreadExecutorTest() { executor_.set_run({}); }

  static JobSlice job(JobId id, const std::string& input, std::uint64_t time_left_us = 0) {
    proto::Lane lane;
    lane.set_first_job(id);
    lane.set_count(1);
    lane.set_time_left_us(time_left_us);
    append_to(*lane.mutable_inputs(), input);
    return JobSlice::of(lane).value();
  }
  void collect() {
    std::vector<proto::Results> batches;
    std::vector<proto::HostEvent> events;
    executor_.collect(batches, events);
    for (const proto::Results& batch : batches)
      append_to(completed_, batch);
    for (proto::JobOutput& piece : executor_.collect_outputs())
      pieces_.push_back(std::move(piece));
  }
  template <typename Condition>
  bool collect_until(Condition condition, std::chrono::milliseconds most = std::chrono::seconds(10)) {
    const auto until = std::chrono::steady_clock::now() + most;
    for (collect(); !condition(); collect()) {
      if (std::chrono::steady_clock::now() >= until) return false;
      pollfd ready{executor_.descriptor(), POLLIN, 0};
      ::poll(&ready, 1, 20);
    }
    return true;
  }
  bool nothing_more_comes() {
    const std::size_t pieces = pieces_.size();
    const std::uint32_t completed = completed_.count();
    return !collect_until([&] { return pieces_.size() != pieces || completed_.count() != completed; },
                          std::chrono::milliseconds(100));
  }

  ThreadExecutor executor_{2, [](const proto::RunSpec&) { return std::make_unique<Writer>(); }};
  proto::Results completed_;
  std::vector<proto::JobOutput> pieces_;
};

TEST_F(ThreadExecutorTest, AJobKnowsItsSlotAndItsTime) {
  executor_.start(job(1, "0"));
  ASSERT_TRUE(collect_until([&] { return completed_.count() == 1; }));
  executor_.start(job(2, "0", 60'000'000));
  ASSERT_TRUE(collect_until([&] { return completed_.count() == 2; }));
  const std::vector<std::string> payloads = strings_of(completed_.payloads(), 2);
  EXPECT_TRUE(payloads[0] == "1" || payloads[0] == "2") << payloads[0];
  EXPECT_TRUE(payloads[1] == "1 limited" || payloads[1] == "2 limited") << payloads[1];
}

// As the session's thread does: it sleeps until the descriptor or stop_overdue() wakes it, and loses nothing.
TEST_F(ThreadExecutorTest, ResultsThatLeaveTogetherAreNotForgotten) {
  constexpr std::uint32_t kRounds = 500;
  constexpr JobId kJobsOfARound = 20;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    for (JobId id = 0; id < kJobsOfARound; ++id)
      executor_.start(job(round * kJobsOfARound + id, "0"));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (completed_.count() < (round + 1) * kJobsOfARound) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << completed_.count() << " of round " << round;
      pollfd ready{executor_.descriptor(), POLLIN, 0};
      ::poll(&ready, 1, poll_timeout_ms(executor_.stop_overdue(steady_now())));
      collect();
    }
  }
}

TEST_F(ThreadExecutorTest, NoJobStartsBeyondTheAllotment) {
  executor_.allot(0);
  for (JobId id = 1; id <= 3; ++id)
    executor_.start(job(id, "100"));
  EXPECT_TRUE(nothing_more_comes());
  EXPECT_EQ(executor_.load().queued, 3U);
  executor_.allot(1);
  ASSERT_TRUE(collect_until([&] { return executor_.load().running == 1 && pieces_.size() == 16; }));
  EXPECT_TRUE(nothing_more_comes());
  executor_.allot(2);
  ASSERT_TRUE(collect_until([&] { return executor_.load().running == 2; }));
  // What runs is left alone when there is less.
  executor_.allot(0);
  EXPECT_EQ(executor_.load().running, 2U);
  executor_.stop_running(StopReason::kCancelled);
  ASSERT_TRUE(collect_until([&] { return executor_.load().running == 0; }));
  EXPECT_EQ(executor_.load().queued, 1U);
}

TEST_F(ThreadExecutorTest, AResultWaitsForOthersNoLongerThanAMoment) {
  ThreadExecutor executor(1, [](const proto::RunSpec&) { return std::make_unique<Writer>(); });
  executor.set_run({});
  executor.start(job(1, "0"));
  std::vector<proto::Results> batches;
  std::vector<proto::HostEvent> events;
  const auto collected = [&](std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (batches.size() < count && std::chrono::steady_clock::now() < until) {
      pollfd ready{executor.descriptor(), POLLIN, 0};
      ::poll(&ready, 1, poll_timeout_ms(executor.stop_overdue(steady_now())));
      executor.collect(batches, events);
    }
    return batches.size() == count;
  };
  ASSERT_TRUE(collected(1));
  batches.clear();
  // The second one waits for room, so that none behind it finishes.
  executor.start(job(2, "0"));
  executor.start(job(3, "100"));
  for (JobId id = 4; id < 8; ++id)
    executor.start(job(id, "0"));
  ASSERT_TRUE(collected(1));
  EXPECT_EQ(batches[0].jobs(0), 2U);
}

TEST_F(ThreadExecutorTest, AJobCompletesOnceItsOutputIsDurable) {
  executor_.start(job(7, "2"));
  ASSERT_TRUE(collect_until([&] { return pieces_.size() == 2 && executor_.load().running == 0; }));
  EXPECT_EQ(pieces_[0].job(), 7U);
  EXPECT_EQ(pieces_[0].attempt(), 1U);
  executor_.output_durable(7, kPieceBytes);
  EXPECT_TRUE(nothing_more_comes());
  executor_.start(job(8, "0"));
  ASSERT_TRUE(collect_until([&] { return completed_.count() == 1; })) << "others do not wait for it";
  EXPECT_EQ(completed_.jobs(0), 8U);
  executor_.output_durable(7, kPieceBytes);
  ASSERT_TRUE(collect_until([&] { return completed_.count() == 2; }));
  EXPECT_EQ(completed_.jobs(1), 7U);
}

TEST_F(ThreadExecutorTest, OutputWaitsForRoom) {
  constexpr std::size_t kMost = OutstandingOutput::kJobBytesMax / kPieceBytes;
  executor_.start(job(7, "100"));
  ASSERT_TRUE(collect_until([&] { return pieces_.size() == kMost; }));
  EXPECT_TRUE(nothing_more_comes());
  std::size_t durable = 0;
  while (completed_.count() == 0) {
    ASSERT_TRUE(collect_until([&] { return pieces_.size() > durable || completed_.count() > 0; }));
    EXPECT_LE(pieces_.size() - durable, kMost);
    for (; durable < pieces_.size(); ++durable)
      executor_.output_durable(7, kPieceBytes);
  }
  EXPECT_EQ(pieces_.size(), 100U);
}

TEST_F(ThreadExecutorTest, AJobThatWaitsForRoomCanBeStopped) {
  executor_.start(job(7, "100"));
  ASSERT_TRUE(collect_until([&] { return pieces_.size() == 16; }));
  executor_.stop_running(StopReason::kCancelled);
  ASSERT_TRUE(collect_until([&] { return executor_.load().running == 0; }));
  executor_.output_durable(7, 16 * kPieceBytes);
  ASSERT_TRUE(collect_until([&] { return completed_.count() == 1; }));
  EXPECT_EQ(completed_.statuses(0), proto::STATUS_CANCELLED);
}

TEST_F(ThreadExecutorTest, SingleJobsAreCancelledAndNoOthers) {
  // Both slots have one that waits for room, and others wait for a slot.
  for (const JobId id : {JobId{1}, JobId{2}})
    executor_.start(job(id, "100"));
  ASSERT_TRUE(collect_until([&] { return pieces_.size() == 32; }));
  for (const JobId id : {JobId{3}, JobId{4}, JobId{5}})
    executor_.start(job(id, "0"));
  RangeSet jobs;
  for (const JobId id : {JobId{1}, JobId{4}, JobId{9}})
    jobs.insert(id);
  EXPECT_EQ(executor_.cancel(jobs), std::vector<JobId>{4}) << "what no slot had started comes back";
  ASSERT_TRUE(collect_until([&] { return completed_.count() == 2; })) << "its slot is free for others";
  EXPECT_EQ(completed_.jobs(0), 3U);
  EXPECT_EQ(completed_.jobs(1), 5U);
  EXPECT_EQ(completed_.statuses(1), proto::STATUS_OK) << "the next job in the slot is not stopped";
  executor_.output_durable(1, 16 * kPieceBytes);
  ASSERT_TRUE(collect_until([&] { return completed_.count() == 3; }));
  EXPECT_EQ(completed_.jobs(2), 1U);
  EXPECT_EQ(completed_.statuses(2), proto::STATUS_CANCELLED);
  EXPECT_EQ(executor_.load().running, 1U);
}

TEST_F(ThreadExecutorTest, ANewRunKnowsNothingOfTheFormersOutput) {
  executor_.start(job(7, "100"));
  ASSERT_TRUE(collect_until([&] { return pieces_.size() == 16; }));
  executor_.set_run({});
  ASSERT_TRUE(collect_until([&] { return executor_.load().running == 0; }));
  pieces_.clear();
  executor_.start(job(7, "1"));
  ASSERT_TRUE(collect_until([&] { return pieces_.size() == 1; }));
  executor_.output_durable(7, kPieceBytes);
  ASSERT_TRUE(collect_until([&] { return completed_.count() == 1; }));
  EXPECT_EQ(completed_.statuses(0), proto::STATUS_OK);
}

TEST(OutstandingOutput, HasRoomForEveryJobUntilThereIsTooMuch) {
  OutstandingOutput output;
  for (JobId job = 0; job < 3; ++job) {
    EXPECT_TRUE(output.has_room(job));
    output.add(job, OutstandingOutput::kJobBytesMax);
    EXPECT_FALSE(output.has_room(job));
  }
  EXPECT_FALSE(output.has_room(3)) << "of all jobs together";
  output.remove(1, OutstandingOutput::kJobBytesMax + 1);
  EXPECT_EQ(output.of(1), 0U);
  EXPECT_TRUE(output.has_room(3));
  output.remove(77, 5);
  output.remove(0, 5);
  EXPECT_EQ(output.of(0), OutstandingOutput::kJobBytesMax - 5);
}

}  // namespace
}  // namespace fantail
