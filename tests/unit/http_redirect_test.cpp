#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/support/http_server.h"
#include "tests/support/recording_async_events.h"
#include "worker/http/http_loop.h"
#include "worker/http/redirect.h"

namespace fantail {
namespace {

using TicketAndHost = RecordingAsyncEvents::TicketAndHost;

// "/to/4" leads to "/to/3" and so on to "/to/0", which is a page.
void count_down(const HttpRequestRecord& request, HttpConversation& peer) {
  const int left = request.target.back() - '0';
  if (left == 0) return peer.respond(200, {"Content-Type: text/html"}, "<title>end</title><a href=x>");
  peer.respond(302, {"Location: " + std::to_string(left - 1)}, "<title>moved</title> not counted");
}

class Redirects : public testing::Test {
 protected:
  Redirects() {
    kind_.mutable_urls()->set_timeout_us(10'000'000);
    kind_.mutable_urls()->set_max_body_bytes(1'000'000);
    kind_.mutable_urls()->set_max_redirects(3);
  }

  void submit(const std::string& url) {
    loop_.set_kind(kind_);
    loop_.submit({{++tickets_, url, {}}});
  }
  JobResult get(const std::string& url) {
    submit(url);
    return result();
  }
  // Of the job submitted last.
  JobResult result() {
    EXPECT_TRUE(events_.wait_for_finished(tickets_));
    return events_.finished()[tickets_];
  }
  static proto::UrlsResult page_of(const JobResult& job) {
    proto::UrlsResult page;
    EXPECT_TRUE(page.ParseFromString(job.payload));
    return page;
  }

  proto::KindSpec kind_;
  std::uint64_t tickets_ = 0;
  RecordingAsyncEvents events_;
  HttpLoop loop_{events_};
};

TEST_F(Redirects, AreFollowedToTheLastPage) {
  HttpServer server(count_down);
  const JobResult job = get(server.url("/to/3#part"));
  EXPECT_EQ(job.status, Status::kOk);
  const proto::UrlsResult page = page_of(job);
  EXPECT_EQ(page.final_url(), server.url("/to/0#part"));
  EXPECT_EQ(page.status_code(), 200u);
  EXPECT_EQ(page.title(), "end");
  EXPECT_EQ(page.words(), 0u);
  EXPECT_EQ(page.bytes(), 28u);
  EXPECT_EQ(page.links(0), server.url("/to/x"));
  EXPECT_EQ(events_.written(), std::vector<TicketAndHost>(4, {1, server.host()}));
  EXPECT_TRUE(events_.wanted().empty());
}

TEST_F(Redirects, AreFollowedSoManyTimesOnly) {
  HttpServer server(count_down);
  const JobResult job = get(server.url("/to/4"));
  EXPECT_EQ(job.error_code, "too_many_redirects");
  EXPECT_EQ(job.error_message, "more than 3 redirects, the last to " + server.url("/to/0"));
  EXPECT_EQ(page_of(job).status_code(), 302u);
  EXPECT_EQ(page_of(job).final_url(), server.url("/to/1"));
  EXPECT_EQ(server.requests().size(), 4u);
}

TEST_F(Redirects, MayLeadInACircle) {
  HttpServer server(
      [](const HttpRequestRecord&, HttpConversation& peer) { peer.respond(301, {"Location: /again"}, ""); });
  kind_.mutable_urls()->set_max_redirects(10);
  EXPECT_EQ(get(server.url("/")).error_message,
            "more than 10 redirects, the last to " + server.url("/again"));
  EXPECT_EQ(server.requests().size(), 11u);
}

TEST_F(Redirects, LeadToHttpUrlsOnly) {
  HttpServer server([](const HttpRequestRecord& request, HttpConversation& peer) {
    const std::string target = request.target == "/ftp" ? "ftp://127.0.0.1/" : "http://a b/";
    peer.respond(307, {"Location: " + target}, "");
  });
  EXPECT_EQ(get(server.url("/ftp")).error_code, "unsupported_scheme");
  EXPECT_EQ(get(server.url("/bad")).error_message,
            "the redirect from " + server.host() + " names no valid URL");
}

TEST_F(Redirects, NeedALocation) {
  HttpServer server([](const HttpRequestRecord& request, HttpConversation& peer) {
    if (request.target == "/no-redirect") return peer.respond(300, {"Location: /x"}, "<title>300</title>");
    peer.respond(302, {}, "<title>here</title>");
  });
  EXPECT_EQ(page_of(get(server.url("/"))).title(), "here");
  EXPECT_EQ(page_of(get(server.url("/no-redirect"))).title(), "300");
}

TEST_F(Redirects, WaitForThePermitOfEachHop) {
  HttpServer target(count_down);
  HttpServer start([&](const HttpRequestRecord&, HttpConversation& peer) {
    peer.respond(308, {"Location: " + target.url("/to/1")}, "");
  });
  kind_.mutable_urls()->set_permit_every_hop(true);
  submit(start.url("/"));
  ASSERT_TRUE(events_.wait_for_permits_wanted(1));
  EXPECT_EQ(events_.wanted()[0], TicketAndHost(1, target.host()));
  loop_.permit(1, start.host());    // not the host that is awaited
  loop_.permit(99, target.host());  // not the job
  EXPECT_TRUE(target.requests().empty());
  loop_.permit(1, target.host());
  ASSERT_TRUE(events_.wait_for_permits_wanted(2));
  EXPECT_EQ(target.requests().size(), 1u);
  EXPECT_EQ(events_.wanted()[1], TicketAndHost(1, target.host()));
  loop_.permit(1, target.host());
  EXPECT_EQ(page_of(result()).title(), "end");
  EXPECT_EQ(events_.written(),
            (std::vector<TicketAndHost>{{1, start.host()}, {1, target.host()}, {1, target.host()}}));
}

TEST_F(Redirects, CanBeStoppedWhileTheyWaitForAPermit) {
  HttpServer server(count_down);
  kind_.mutable_urls()->set_permit_every_hop(true);
  submit(server.url("/to/1"));
  ASSERT_TRUE(events_.wait_for_permits_wanted(1));
  loop_.stop(1, StopReason::kCancelled);
  EXPECT_EQ(result().status, Status::kCancelled);
  loop_.permit(1, server.host());
  EXPECT_EQ(get(server.url("/to/0")).status, Status::kOk);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(Redirects, TimeOutWhileTheyWaitForAPermitWhichIsNoLoadTime) {
  HttpServer server(count_down);
  kind_.mutable_urls()->set_permit_every_hop(true);
  kind_.mutable_urls()->set_timeout_us(300'000);
  submit(server.url("/to/1"));
  const JobResult job = result();
  EXPECT_EQ(job.error_code, "timeout");
  EXPECT_EQ(job.error_message, "no permit for the redirect to " + server.host() + " within 300 ms");
  EXPECT_EQ(page_of(job).status_code(), 302u);
  EXPECT_LT(page_of(job).load_us(), 290'000u);
}

TEST_F(Redirects, KeepTheHeadersOfAnOriginToIt) {
  HttpServer other(count_down);
  HttpServer server([&](const HttpRequestRecord& request, HttpConversation& peer) {
    const std::string location = request.target == "/here" ? "/elsewhere" : other.url("/to/0");
    peer.respond(302, {"Location: " + location}, "");
  });
  for (const char* header : {"Authorization: Bearer x", "cookie: a=b", "X-Other: 1"}) {
    kind_.mutable_urls()->add_headers(header);
  }
  get(server.url("/here"));
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(server.requests()[1].header("Authorization"), "Bearer x");
  EXPECT_EQ(server.requests()[1].header("cookie"), "a=b");
  ASSERT_EQ(other.requests().size(), 1u);
  EXPECT_EQ(other.requests()[0].header("Authorization"), "");
  EXPECT_EQ(other.requests()[0].header("cookie"), "");
  EXPECT_EQ(other.requests()[0].header("X-Other"), "1");
}

TEST(RedirectRules, TurnSomeMethodsToGet) {
  struct Case {
    std::uint32_t status;
    const char* method;
    bool turns;
  };
  for (const Case& test : {Case{303, "POST", true},
                           {303, "PUT", true},
                           {303, "HEAD", false},
                           {301, "POST", true},
                           {302, "POST", true},
                           {302, "PUT", false},
                           {307, "POST", false},
                           {308, "POST", false}}) {
    EXPECT_EQ(redirect_turns_to_get(test.status, test.method), test.turns) << test.status << test.method;
  }
}

TEST(RedirectRules, CompareSchemeHostAndPort) {
  const auto same = [](const char* left, const char* right) {
    return is_same_origin(*parse_url(left), *parse_url(right));
  };
  EXPECT_TRUE(same("http://a.test/x", "http://a.test:80/y"));
  EXPECT_FALSE(same("http://a.test/", "https://a.test/"));
  EXPECT_FALSE(same("http://a.test/", "http://a.test:81/"));
  EXPECT_FALSE(same("http://a.test/", "http://b.test/"));
}

TEST(RedirectRules, DropHeadersByNameWhateverTheirCase) {
  std::vector<std::string> headers = {"AUTHORIZATION : x", "Cookie;", "Host: h", "Accept: *",
                                      "Content-Type: t"};
  drop_headers_of_origin(headers);
  EXPECT_EQ(headers, (std::vector<std::string>{"Accept: *", "Content-Type: t"}));
  drop_headers_of_body(headers);
  EXPECT_EQ(headers, (std::vector<std::string>{"Accept: *"}));
}

TEST(RedirectRules, ShowUrlsWithoutPasswords) {
  EXPECT_EQ(href_without_secrets(*parse_url("https://me:secret@a.test/x?y#z")), "https://a.test/x?y");
}

}  // namespace
}  // namespace fantail
