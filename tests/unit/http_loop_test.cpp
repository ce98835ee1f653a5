#include "worker/http/http_loop.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/http_server.h"
#include "tests/support/recording_async_events.h"

namespace fantail {
namespace {

proto::KindSpec urls_kind() {
  proto::KindSpec kind;
  kind.mutable_urls()->set_max_redirects(1);
  return kind;
}

void hold(const HttpRequestRecord&, HttpConversation& peer) {
  peer.hold();
}

TEST(HttpLoop, DoesNothingUntilAKindIsSet) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) { peer.respond(200, {}, ""); });
  RecordingAsyncEvents events;
  HttpLoop loop(events);
  loop.stop(1, StopReason::kCancelled);
  loop.submit({{1, server.url("/"), {}}});
  loop.set_kind(proto::KindSpec());
  ASSERT_TRUE(events.wait_for_finished(1));
  EXPECT_EQ(events.finished()[1].error_code, "unknown_kind");
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpLoop, TearsRunningTransfersDownWhenItEnds) {
  HttpServer server(hold);
  RecordingAsyncEvents events;
  {
    HttpLoop loop(events);
    loop.set_kind(urls_kind());
    loop.submit({{1, server.url("/"), {}}, {2, server.url("/"), {}}});
    ASSERT_TRUE(server.wait_for_requests(2));
  }
  EXPECT_TRUE(server.wait_for_closed_connections(2));
  EXPECT_TRUE(events.finished().empty());
}

TEST(HttpLoop, DropsTheFormerKindWithItsTransfers) {
  HttpServer server([](const HttpRequestRecord& request, HttpConversation& peer) {
    if (request.target == "/hold") return peer.hold();
    peer.respond(200, {}, "");
  });
  RecordingAsyncEvents events;
  HttpLoop loop(events);
  loop.set_kind(urls_kind());
  loop.submit({{1, server.url("/hold"), {}}});
  ASSERT_TRUE(server.wait_for_requests(1));
  loop.set_kind(urls_kind());
  loop.submit({{2, server.url("/"), {}}});
  ASSERT_TRUE(events.wait_for_finished(1));
  EXPECT_TRUE(server.wait_for_closed_connections(1));
  EXPECT_FALSE(events.finished().contains(1));
  EXPECT_TRUE(events.finished().contains(2));
}

TEST(HttpLoop, RunsManyTransfersAtOnce) {
  constexpr std::uint64_t kJobs = 300;
  HttpServer server(hold);
  RecordingAsyncEvents events;
  HttpLoop loop(events);
  loop.set_kind(urls_kind());
  std::vector<AsyncJob> jobs;
  for (std::uint64_t ticket = 1; ticket <= kJobs; ++ticket) {
    jobs.push_back({ticket, server.url("/" + std::to_string(ticket)), {}});
  }
  loop.submit(std::move(jobs));
  ASSERT_TRUE(server.wait_for_requests(kJobs));
  for (std::uint64_t ticket = 1; ticket <= kJobs; ++ticket)
    loop.stop(ticket, StopReason::kExpired);
  ASSERT_TRUE(events.wait_for_finished(kJobs));
  EXPECT_EQ(events.finished_twice(), 0u);
  EXPECT_EQ(events.written().size(), kJobs);
  for (const auto& [ticket, result] : events.finished())
    EXPECT_EQ(result.status, Status::kExpired) << ticket;
}

TEST(HttpLoop, AnswersEveryJobOnceWhateverIsStoppedMeanwhile) {
  constexpr std::uint64_t kJobs = 400;
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) {
    peer.respond(200, {"Content-Type: text/html"}, "<title>x</title>");
  });
  RecordingAsyncEvents events;
  HttpLoop loop(events);
  loop.set_kind(urls_kind());
  for (std::uint64_t ticket = 1; ticket <= kJobs; ++ticket) {
    loop.submit({{ticket, server.url("/"), {}}});
    if (ticket % 3 == 0) loop.stop(ticket - ticket % 7, StopReason::kCancelled);
  }
  ASSERT_TRUE(events.wait_for_finished(kJobs));
  EXPECT_EQ(events.finished_twice(), 0u);
  for (const auto& [ticket, result] : events.finished()) {
    EXPECT_TRUE(result.status == Status::kOk || result.status == Status::kCancelled) << result.error_message;
  }
}

}  // namespace
}  // namespace fantail
