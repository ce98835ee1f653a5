#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/http_server.h"
#include "tests/support/recording_async_events.h"
#include "worker/http/http_loop.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;

const std::string kHtml = "Content-Type: text/html; charset=utf-8";

// "<title>gzip</title><p>Hello world", compressed by gzip.
const std::string kGzippedPage(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xb3\x29\xc9\x2c\xc9\x49\xb5\x4b\xaf\xca\x2c\xb0\xd1\x87"
    "\xb0\x6d\x0a\xec\x3c\x52\x73\x72\xf2\x15\xca\xf3\x8b\x72\x52\x00\x35\xe1\x54\x75\x21\x00\x00\x00",
    48);

class UrlsProcessor : public testing::Test {
 protected:
  UrlsProcessor() {
    spec_.set_timeout_us(10'000'000);
    spec_.set_max_body_bytes(1'000'000);
    spec_.set_max_redirects(10);
    spec_.set_user_agent("fantail-test");
  }

  void begin() {
    proto::KindSpec kind;
    *kind.mutable_urls() = spec_;
    loop_.set_kind(kind);
  }

  // One page from beginning to end.
  JobResult get(const std::string& url, std::optional<std::chrono::microseconds> time_left = std::nullopt) {
    begin();
    const std::uint64_t ticket = ++tickets_;
    loop_.submit({{ticket, url, time_left}});
    EXPECT_TRUE(events_.wait_for_finished(ticket));
    return events_.finished()[ticket];
  }

  static proto::UrlsResult page_of(const JobResult& job) {
    proto::UrlsResult page;
    EXPECT_TRUE(page.ParseFromString(job.payload));
    return page;
  }

  proto::UrlsSpec spec_;
  std::uint64_t tickets_ = 0;
  RecordingAsyncEvents events_;
  HttpLoop loop_{events_};
};

HttpServer::Handler answer(int status, std::vector<std::string> headers, std::string body) {
  return [=](const HttpRequestRecord&, HttpConversation& peer) { peer.respond(status, headers, body); };
}

TEST_F(UrlsProcessor, ReadsAPage) {
  HttpServer server(answer(200, {kHtml},
                           "<title>A &amp; B</title><base href=/deep/><p>one two<b>three</b> "
                           "<a href=next>four</a> <a href='http://other.test/?q=1#top'>five</a>"));
  const JobResult job = get(server.url("/page#part"));
  EXPECT_EQ(job.status, Status::kOk);
  EXPECT_EQ(job.error_code, "");
  const proto::UrlsResult page = page_of(job);
  EXPECT_EQ(page.final_url(), server.url("/page#part"));
  EXPECT_EQ(page.status_code(), 200u);
  EXPECT_EQ(page.title(), "A & B");
  EXPECT_EQ(page.words(), 5u);
  ASSERT_EQ(page.links_size(), 2);
  EXPECT_EQ(page.links(0), server.url("/deep/next"));
  EXPECT_EQ(page.links(1), "http://other.test/?q=1");
  EXPECT_EQ(page.bytes(), 132u);
  EXPECT_GT(page.load_us(), 0u);
  EXPECT_EQ(server.requests().at(0).target, "/page");
  EXPECT_EQ(events_.written(), (std::vector<RecordingAsyncEvents::TicketAndHost>{{1, server.host()}}));
}

TEST_F(UrlsProcessor, SendsThePasswordOfAUrlAndShowsItNowhere) {
  HttpServer server([](const HttpRequestRecord& request, HttpConversation& peer) {
    if (request.target == "/old") return peer.respond(301, {"Location: new"}, "");
    peer.respond(200, {kHtml}, "<a href=next>x</a>");
  });
  const JobResult job = get("http://me:secret@" + server.host() + "/old");
  ASSERT_EQ(server.requests().size(), 2u);
  for (const HttpRequestRecord& request : server.requests())
    EXPECT_EQ(request.header("Authorization"), "Basic bWU6c2VjcmV0");
  EXPECT_EQ(page_of(job).final_url(), server.url("/new"));
  EXPECT_EQ(page_of(job).links(0), server.url("/next"));
  EXPECT_EQ(job.payload.find("secret"), std::string::npos);
}

TEST_F(UrlsProcessor, SendsItsHeadersAndNoOthers) {
  spec_.add_headers("X-Test: yes");
  HttpServer server(answer(200, {"Set-Cookie: a=b"}, ""));
  get(server.url("/1"));
  get(server.url("/2"));
  ASSERT_EQ(server.requests().size(), 2u);
  const HttpRequestRecord second = server.requests()[1];
  EXPECT_EQ(second.method, "GET");
  EXPECT_EQ(second.header("X-Test"), "yes");
  EXPECT_EQ(second.header("User-Agent"), "fantail-test");
  EXPECT_EQ(second.header("Cookie"), "");
  EXPECT_EQ(second.header("Expect"), "");
  EXPECT_NE(second.header("Accept-Encoding").find("gzip"), std::string::npos);
}

TEST_F(UrlsProcessor, UsesAConnectionAgain) {
  HttpServer server(answer(200, {kHtml}, "x"));
  proto::KindSpec kind;
  *kind.mutable_urls() = spec_;
  loop_.set_kind(kind);
  loop_.submit({{1, server.url("/1"), {}}});
  ASSERT_TRUE(events_.wait_for_finished(1));
  loop_.submit({{2, server.url("/2"), {}}});
  ASSERT_TRUE(events_.wait_for_finished(2));
  EXPECT_EQ(server.requests()[0].connection, server.requests()[1].connection);
}

TEST_F(UrlsProcessor, TellsOfAHostThatIsBusy) {
  HttpServer asks(answer(429, {"Retry-After: 7"}, ""));
  HttpServer is_silent(answer(503, {}, ""));
  HttpServer fails(answer(500, {"Retry-After: 7"}, ""));
  for (const HttpServer* server : {&asks, &is_silent, &fails})
    EXPECT_EQ(get(server->url("/")).status, Status::kFailed);
  const auto busy = events_.busy();
  ASSERT_EQ(busy.size(), 2u);
  EXPECT_EQ("http://" + busy[0].host + "/", asks.url("/"));
  EXPECT_EQ(busy[0].retry_after, std::chrono::seconds(7));
  EXPECT_EQ("http://" + busy[1].host + "/", is_silent.url("/"));
  EXPECT_EQ(busy[1].retry_after, std::chrono::seconds(0));
}

TEST_F(UrlsProcessor, CallsAStatusOf400AndAboveAFailureThatCarriesTheStatus) {
  HttpServer missing(answer(404, {kHtml}, "<title>Oops</title>"));
  const JobResult job = get(missing.url("/"));
  EXPECT_EQ(job.status, Status::kFailed);
  EXPECT_EQ(job.error_code, "http_status");
  EXPECT_EQ(job.error_message, "HTTP 404 Not Found");
  EXPECT_EQ(page_of(job).status_code(), 404u);
  EXPECT_EQ(page_of(job).bytes(), 19u);
  EXPECT_EQ(page_of(job).title(), "");
  EXPECT_EQ(page_of(job).final_url(), missing.url("/"));

  HttpServer broken(answer(500, {}, ""));
  EXPECT_EQ(get(broken.url("/")).error_message, "HTTP 500 Internal Server Error");
  HttpServer odd(answer(499, {}, ""));
  EXPECT_EQ(get(odd.url("/")).error_message, "HTTP 499");
}

TEST_F(UrlsProcessor, CountsOnlyTheBytesOfWhatIsNotHtml) {
  HttpServer text(answer(200, {"Content-Type: text/plain"}, "<title>no</title> page"));
  const proto::UrlsResult page = page_of(get(text.url("/")));
  EXPECT_EQ(page.bytes(), 22u);
  EXPECT_EQ(page.words(), 0u);
  EXPECT_EQ(page.title(), "");

  HttpServer xhtml(answer(200, {"Content-Type:  Application/XHTML+xml ; x=y"}, "<title>yes</title>"));
  EXPECT_EQ(page_of(get(xhtml.url("/"))).title(), "yes");
  HttpServer untyped(answer(200, {}, "<title>yes</title>"));
  EXPECT_EQ(page_of(get(untyped.url("/"))).title(), "yes");
}

TEST_F(UrlsProcessor, DecompressesAndCountsDeliveredBytes) {
  HttpServer server(answer(200, {kHtml, "Content-Encoding: gzip"}, kGzippedPage));
  const JobResult job = get(server.url("/"));
  EXPECT_EQ(job.error_message, "");
  EXPECT_EQ(page_of(job).title(), "gzip");
  EXPECT_EQ(page_of(job).words(), 2u);
  EXPECT_EQ(page_of(job).bytes(), 33u);
}

TEST_F(UrlsProcessor, ReportsWhatCannotBeDecompressed) {
  HttpServer server(answer(200, {kHtml, "Content-Encoding: gzip"}, "this is no gzip at all"));
  EXPECT_EQ(get(server.url("/")).error_code, "http_error");
}

TEST_F(UrlsProcessor, DecodesPagesThatAreNotUtf8) {
  HttpServer server(answer(200, {"Content-Type: text/html; charset=iso-8859-1"}, "<title>caf\xe9</title>"));
  EXPECT_EQ(page_of(get(server.url("/"))).title(), "caf\xc3\xa9");
}

TEST_F(UrlsProcessor, ReadsAPageThatComesInSmallChunks) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char byte : std::string_view("<title>T</title><p>one two</p>"))
      peer.send_chunk({&byte, 1});
    peer.send_chunk("");
  });
  const proto::UrlsResult page = page_of(get(server.url("/")));
  EXPECT_EQ(page.title(), "T");
  EXPECT_EQ(page.words(), 2u);
  EXPECT_EQ(page.bytes(), 30u);
}

TEST_F(UrlsProcessor, StopsReadingABodyThatIsTooLarge) {
  HttpServer endless([](const HttpRequestRecord&, HttpConversation& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.hold_for(milliseconds(0)))
      peer.send_chunk(std::string(60'000, 'x'));
  });
  const JobResult job = get(endless.url("/"));
  EXPECT_EQ(job.status, Status::kFailed);
  EXPECT_EQ(job.error_code, "body_too_large");
  EXPECT_EQ(job.error_message, "the answer of " + endless.host() + " is larger than 1000000 bytes");
  EXPECT_EQ(page_of(job).status_code(), 200u);
  EXPECT_EQ(page_of(job).bytes(), 1'000'000u);
  EXPECT_TRUE(endless.wait_for_closed_connections(1));
}

TEST_F(UrlsProcessor, TakesABodyOfExactlyTheLimit) {
  spec_.set_max_body_bytes(1000);
  HttpServer server([](const HttpRequestRecord& request, HttpConversation& peer) {
    peer.respond(200, {kHtml}, std::string(request.target == "/fits" ? 1000 : 1001, 'x'));
  });
  EXPECT_EQ(get(server.url("/fits")).status, Status::kOk);
  EXPECT_EQ(get(server.url("/more")).error_code, "body_too_large");
}

TEST_F(UrlsProcessor, ReportsABodyThatEndsEarly) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<title>half");
    peer.close();
  });
  const JobResult job = get(server.url("/"));
  EXPECT_EQ(job.error_code, "truncated");
  EXPECT_EQ(page_of(job).status_code(), 200u);
  EXPECT_EQ(page_of(job).bytes(), 11u);
}

TEST_F(UrlsProcessor, ReportsAnswersThatAreNone) {
  HttpServer silent([](const HttpRequestRecord&, HttpConversation& peer) { peer.close(); });
  EXPECT_EQ(get(silent.url("/")).error_code, "read_error");
  EXPECT_EQ(get(silent.url("/")).error_message, silent.host() + " closed the connection without an answer");
  HttpServer other([](const HttpRequestRecord&, HttpConversation& peer) {
    peer.send("220 mail.test ESMTP\r\n");
    peer.close();
  });
  EXPECT_EQ(get(other.url("/")).error_code, "http_error");
  EXPECT_EQ(get("https://" + other.host() + "/").error_code, "tls");
}

TEST_F(UrlsProcessor, ReportsARefusedConnectionWithoutThePassword) {
  const RefusingPort refusing;
  const std::string host = refusing.host();
  const JobResult job = get("http://me:secret@" + host + "/");
  EXPECT_EQ(job.error_code, "connect");
  EXPECT_EQ(job.error_message, "cannot connect to " + host);
  EXPECT_EQ(page_of(job).status_code(), 0u);
  EXPECT_TRUE(events_.written().empty());
}

TEST_F(UrlsProcessor, ReportsANameWithoutAddress) {
  EXPECT_EQ(get("http://nowhere.invalid/").error_code, "dns");
}

TEST_F(UrlsProcessor, FetchesHttpUrlsOnly) {
  const JobResult schemeless = get("example.com/page");
  EXPECT_EQ(schemeless.error_code, "bad_url");
  EXPECT_EQ(schemeless.error_message, "not a URL: write it with its scheme, such as https://example.com/");
  EXPECT_EQ(get("").error_code, "bad_url");
  EXPECT_EQ(get("http://").error_code, "bad_url");
  EXPECT_EQ(get("http://exa mple/").error_code, "bad_url");
  const JobResult ftp = get("ftp://127.0.0.1/");
  EXPECT_EQ(ftp.error_code, "unsupported_scheme");
  EXPECT_EQ(ftp.error_message, "only http:// and https:// can be fetched, not ftp:");
  EXPECT_EQ(get("file:///etc/passwd").error_code, "unsupported_scheme");
  EXPECT_EQ(get("localhost:80/").error_code, "unsupported_scheme");
}

TEST_F(UrlsProcessor, FailsAPageThatIsSlowerThanItsTimeout) {
  spec_.set_timeout_us(100'000);
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) {
    peer.send("HTTP/1.1 203 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<title>");
    peer.hold();
  });
  const JobResult job = get(server.url("/"), std::chrono::seconds(5));
  EXPECT_EQ(job.status, Status::kFailed);
  EXPECT_EQ(job.error_code, "timeout");
  EXPECT_EQ(job.error_message, "no complete answer from " + server.host() + " within 100 ms");
  EXPECT_EQ(page_of(job).status_code(), 203u);
  EXPECT_EQ(page_of(job).bytes(), 7u);
  EXPECT_GE(page_of(job).load_us(), 90'000u);
  EXPECT_TRUE(server.wait_for_closed_connections(1));
}

TEST_F(UrlsProcessor, ExpiresAPageWhenTheRunsTimeRunsOutFirst) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) { peer.hold(); });
  const JobResult job = get(server.url("/"), milliseconds(50));
  EXPECT_EQ(job.status, Status::kExpired);
  EXPECT_EQ(job.error_code, "expired");
  EXPECT_EQ(get(server.url("/"), milliseconds(-5)).status, Status::kExpired);
}

TEST_F(UrlsProcessor, TakesAnyNumbersForATimeLimit) {
  HttpServer server(answer(200, {}, "x"));
  spec_.set_timeout_us(~std::uint64_t{0});
  EXPECT_EQ(get(server.url("/"), std::chrono::microseconds::max()).status, Status::kOk);
  spec_.set_timeout_us(0);
  EXPECT_EQ(get(server.url("/")).status, Status::kOk);
}

TEST_F(UrlsProcessor, StopsRunningPagesAtOnce) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) { peer.hold(); });
  begin();
  loop_.submit({{1, server.url("/1"), {}}, {2, server.url("/2"), {}}});
  ASSERT_TRUE(server.wait_for_requests(2));
  loop_.stop(77, StopReason::kCancelled);
  loop_.stop(1, StopReason::kCancelled);
  ASSERT_TRUE(events_.wait_for_finished(1));
  EXPECT_TRUE(server.wait_for_closed_connections(1));
  loop_.stop(2, StopReason::kExpired);
  ASSERT_TRUE(events_.wait_for_finished(2));
  EXPECT_EQ(events_.finished()[1].status, Status::kCancelled);
  EXPECT_EQ(events_.finished()[2].status, Status::kExpired);
  EXPECT_FALSE(events_.finished().contains(77));
}

}  // namespace
}  // namespace fantail
