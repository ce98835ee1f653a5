#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/http_server.h"
#include "worker/http/transfer.h"
#include "worker/http/transfer_engine.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;

// Keeps what one transfer says.
class RecordingListener : public TransferListener {
 public:
  void on_request_written() override { ++written; }
  void on_body(std::string_view bytes) override { body += bytes; }
  void on_transfer_done(std::optional<HttpError> error_or_none) override {
    done = true;
    error = std::move(error_or_none);
  }

  int written = 0;
  std::string body;
  bool done = false;
  std::optional<HttpError> error;
};

TransferRequest request_for(const std::string& url) {
  TransferRequest request;
  request.url = url;
  request.host = "the host";
  request.max_body_bytes = 1000;
  return request;
}

TEST(TransferEngine, RingsTimersInTheOrderOfTheirTimesAndOnce) {
  TransferEngine engine;
  std::string rung;
  const auto now = engine.now();
  engine.schedule(now + milliseconds(20), [&] { rung += "c"; });
  engine.schedule(now + milliseconds(1), [&] { rung += "a"; });
  const auto cancelled = engine.schedule(now + milliseconds(2), [&] { rung += "x"; });
  engine.schedule(now + milliseconds(3), [&] { rung += "b"; });
  engine.cancel(cancelled);
  while (rung.size() < 3)
    engine.turn();
  EXPECT_EQ(rung, "abc");
  EXPECT_GE(engine.now(), now + milliseconds(20));
}

TEST(TransferEngine, LetsATimerSetTheNextOne) {
  TransferEngine engine;
  int rung = 0;
  engine.schedule(engine.now(), [&] {
    ++rung;
    engine.schedule(engine.now(), [&] { ++rung; });
  });
  while (rung < 2)
    engine.turn();
  EXPECT_EQ(rung, 2);
}

TEST(TransferEngine, WakesFromAnotherThreadBeforeAndInAWait) {
  TransferEngine engine;
  engine.wake();
  engine.turn();  // would take a minute
  std::atomic<bool> woken = false;
  std::thread other([&] {
    woken = true;
    engine.wake();
  });
  while (!woken)
    engine.turn();
  other.join();
  EXPECT_TRUE(woken);
}

TEST(TransferEngine, CarriesOutATransfer) {
  HttpServer server(
      [](const HttpRequestRecord&, HttpConversation& peer) { peer.respond(201, {"A: b"}, "body"); });
  TransferEngine engine;
  RecordingListener listener;
  Transfer transfer(engine, request_for(server.url("/")), listener);
  EXPECT_EQ(transfer.status_code(), 0u);
  ASSERT_TRUE(transfer.start());
  while (!listener.done)
    engine.turn();
  EXPECT_EQ(listener.error, std::nullopt);
  EXPECT_EQ(listener.written, 1);
  EXPECT_EQ(listener.body, "body");
  EXPECT_EQ(transfer.status_code(), 201u);
  EXPECT_EQ(transfer.bytes(), 4u);
  EXPECT_EQ(transfer.content_type(), "");
  EXPECT_EQ(transfer.location(), std::nullopt);
  EXPECT_GT(transfer.elapsed(), milliseconds(0));
}

TEST(TransferEngine, ForgetsTheOptionsOfAFormerTransfer) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) { peer.respond(200, {}, ""); });
  TransferEngine engine;
  for (const char* method : {"POST", "GET"}) {
    RecordingListener listener;
    TransferRequest request = request_for(server.url("/"));
    request.method = method;
    if (request.method == "POST") {
      request.body = "content";
      request.headers = {"X-Secret: s"};
      request.user_agent = "somebody";
    }
    Transfer transfer(engine, std::move(request), listener);
    ASSERT_TRUE(transfer.start());
    while (!listener.done)
      engine.turn();
    // A handle and a connection were used again: both requests were written all the same.
    EXPECT_EQ(listener.written, 1);
  }
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].connection, requests[1].connection);
  EXPECT_EQ(requests[0].body, "content");
  EXPECT_EQ(requests[1].method, "GET");
  EXPECT_EQ(requests[1].body, "");
  EXPECT_EQ(requests[1].header("X-Secret"), "");
  EXPECT_EQ(requests[1].header("User-Agent"), "");
}

TEST(TransferEngine, ForgetsTheAnswerOfAFormerTransfer) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) {
    peer.respond(301, {"Content-Type: text/html", "Location: /elsewhere"}, "body");
  });
  TransferEngine engine;
  const std::string nobody = [] {
    return HttpServer([](const HttpRequestRecord&, HttpConversation&) {}).url("/");
  }();
  for (const std::string& url : {server.url("/"), nobody}) {
    RecordingListener listener;
    Transfer transfer(engine, request_for(url), listener);
    ASSERT_TRUE(transfer.start());
    while (!listener.done)
      engine.turn();
    if (url == nobody) {
      ASSERT_TRUE(listener.error);
      EXPECT_EQ(listener.error->code, "connect");
      EXPECT_EQ(transfer.status_code(), 0u);
      EXPECT_EQ(transfer.content_type(), "");
      EXPECT_EQ(transfer.location(), std::nullopt);
      EXPECT_EQ(listener.body, "");
    } else {
      EXPECT_EQ(transfer.location(), "/elsewhere");
    }
  }
}

TEST(TransferEngine, RestsWhenAPeerClosesAKeptConnection) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) {
    peer.respond(200, {}, "");
    peer.close();
  });
  TransferEngine engine;
  for (const std::size_t round : {1u, 2u}) {
    RecordingListener listener;
    Transfer transfer(engine, request_for(server.url("/")), listener);
    ASSERT_TRUE(transfer.start());
    while (!listener.done)
      engine.turn();
    EXPECT_EQ(listener.error, std::nullopt);
    ASSERT_TRUE(server.wait_for_closed_connections(round));
    bool rung = false;
    engine.schedule(engine.now() + milliseconds(20), [&] { rung = true; });
    int turns = 0;
    while (!rung) {
      engine.turn();
      ++turns;
    }
    EXPECT_LE(turns, 10);
  }
}

TEST(TransferEngine, ClosesTheConnectionOfATransferThatIsDestroyed) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) { peer.hold(); });
  TransferEngine engine;
  RecordingListener listener;
  {
    Transfer transfer(engine, request_for(server.url("/")), listener);
    ASSERT_TRUE(transfer.start());
    while (listener.written == 0)
      engine.turn();
    ASSERT_TRUE(server.wait_for_requests(1));
  }
  EXPECT_TRUE(server.wait_for_closed_connections(1));
  EXPECT_FALSE(listener.done);
}

}  // namespace
}  // namespace fantail
