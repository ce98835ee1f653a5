#include "worker/async_executor.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <set>
#include <string>

#include "tests/support/columns.h"
#include "tests/support/http_server.h"
#include "worker/completion.h"

namespace fantail {
namespace {

class AsyncExecutorTest : public testing::Test {
 protected:
  static proto::RunSpec kind(bool hosts_have_limits) {
    proto::RunSpec spec;
    spec.mutable_kind()->mutable_urls()->set_max_redirects(1);
    spec.mutable_kind()->mutable_urls()->set_permit_every_hop(hosts_have_limits);
    return spec;
  }
  static JobSlice jobs(JobId first, std::uint32_t count, const std::string& url) {
    proto::Lane lane;
    lane.set_first_job(first);
    lane.set_count(count);
    for (std::uint32_t index = 0; index < count; ++index)
      append_to(*lane.mutable_inputs(), url);
    return JobSlice::of(lane).value();
  }
  void collect(AsyncExecutor& executor) {
    std::vector<proto::Results> batches;
    executor.collect(batches, events_);
    for (const proto::Results& batch : batches)
      append_to(completed_, batch);
  }
  // False when nothing comes any more.
  bool collect_completions(AsyncExecutor& executor, std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (completed_.count() < count && std::chrono::steady_clock::now() < until) {
      pollfd ready{executor.descriptor(), POLLIN, 0};
      ::poll(&ready, 1, 100);
      collect(executor);
    }
    return completed_.count() == count;
  }
  std::vector<proto::HostEvent::Type> types_of(JobId job) const {
    std::vector<proto::HostEvent::Type> types;
    for (const proto::HostEvent& event : events_) {
      if (event.job() == job) types.push_back(event.type());
    }
    return types;
  }

  HttpServer server_{
      [](const HttpRequestRecord&, HttpConversation& peer) { peer.respond(200, {}, "<title>t</title>"); }};
  proto::Results completed_;
  std::vector<proto::HostEvent> events_;
};

TEST_F(AsyncExecutorTest, EndsEveryJobOnceWhicheverLoopItIsOn) {
  AsyncExecutor executor(8, 3);
  executor.set_run(kind(false));
  executor.start(jobs(10, 50, server_.url("/")));
  EXPECT_EQ(executor.load().running, 8U);
  ASSERT_TRUE(collect_completions(executor, 50));
  std::set<JobId> ended;
  for (const JobId job : completed_.jobs())
    ended.insert(job);
  for (const int status : completed_.statuses())
    EXPECT_EQ(status, proto::STATUS_OK);
  for (const std::string& input : strings_of(completed_.inputs(), 50))
    EXPECT_EQ(input, server_.url("/"));
  EXPECT_EQ(ended.size(), 50U);
  EXPECT_EQ(executor.load().running, 0U);
}

TEST_F(AsyncExecutorTest, TellsOfRequestsOnlyWhereHostsHaveLimits) {
  AsyncExecutor executor(2, 2);
  executor.set_run(kind(false));
  executor.start(jobs(1, 4, server_.url("/")));
  ASSERT_TRUE(collect_completions(executor, 4));
  EXPECT_TRUE(events_.empty());

  executor.set_run(kind(true));
  executor.start(jobs(5, 1, server_.url("/")));
  ASSERT_TRUE(collect_completions(executor, 5));
  EXPECT_EQ(types_of(5), (std::vector{proto::HostEvent::WRITTEN, proto::HostEvent::FINISHED}));
}

TEST_F(AsyncExecutorTest, GivesBackThePermitOfAJobThatHasEnded) {
  AsyncExecutor executor(2, 1);
  executor.set_run(kind(true));
  executor.permit(7, server_.host());
  collect(executor);
  EXPECT_EQ(types_of(7), (std::vector{proto::HostEvent::FINISHED}));
}

TEST_F(AsyncExecutorTest, StartsNoMoreJobsThanItIsAllotted) {
  HttpServer held([](const HttpRequestRecord&, HttpConversation& peer) { peer.hold(); });
  AsyncExecutor executor(4, 2);
  executor.allot(1);
  executor.set_run(kind(false));
  executor.start(jobs(1, 6, held.url("/")));
  EXPECT_EQ(executor.load().running, 1U);
  EXPECT_EQ(executor.load().queued, 5U);
  executor.allot(3);
  EXPECT_EQ(executor.load().running, 3U);
  executor.allot(0);
  executor.stop_running(StopReason::kCancelled);
  ASSERT_TRUE(collect_completions(executor, 3));
  EXPECT_EQ(executor.load().running, 0U);
  EXPECT_EQ(executor.load().queued, 3U);
}

TEST_F(AsyncExecutorTest, StopsJobsOnAllLoops) {
  HttpServer held([](const HttpRequestRecord&, HttpConversation& peer) { peer.hold(); });
  AsyncExecutor executor(4, 4);
  executor.set_run(kind(false));
  executor.start(jobs(1, 6, held.url("/")));
  ASSERT_TRUE(held.wait_for_requests(4));
  EXPECT_EQ(executor.drop_queued(), (std::vector<JobId>{5, 6}));
  executor.stop_running(StopReason::kCancelled);
  ASSERT_TRUE(collect_completions(executor, 4));
  for (const int status : completed_.statuses())
    EXPECT_EQ(status, proto::STATUS_CANCELLED);
}

}  // namespace
}  // namespace fantail
