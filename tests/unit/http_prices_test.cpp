#include <gtest/gtest.h>

#include <string>

#include "tests/support/http_server.h"
#include "tests/support/recording_async_events.h"
#include "worker/http/http_loop.h"

namespace fantail {
namespace {

class PricesProcessor : public testing::Test {
 protected:
  PricesProcessor() { kind_.mutable_prices()->set_max_body_bytes(10'000); }

  proto::Vendor& add_vendor(const std::string& name, const std::string& url) {
    proto::Vendor& vendor = *kind_.mutable_prices()->add_vendors();
    vendor.set_name(name);
    vendor.set_url(url);
    vendor.set_price_pointer("/price");
    vendor.set_default_currency("USD");
    vendor.set_timeout_us(10'000'000);
    return vendor;
  }
  JobResult ask(const std::string& input) {
    loop_.set_kind(kind_);
    loop_.submit({{++tickets_, input, {}}});
    EXPECT_TRUE(events_.wait_for_finished(tickets_));
    return events_.finished()[tickets_];
  }
  static proto::PricesResult quote_of(const JobResult& job) {
    proto::PricesResult quote;
    EXPECT_TRUE(quote.ParseFromString(job.payload));
    return quote;
  }

  proto::KindSpec kind_;
  std::uint64_t tickets_ = 0;
  RecordingAsyncEvents events_;
  HttpLoop loop_{events_};
};

HttpServer::Handler answer(int status, std::string body) {
  return [=](const HttpRequestRecord&, HttpConversation& peer) { peer.respond(status, {}, body); };
}

TEST_F(PricesProcessor, AsksTheVendorForTheProduct) {
  HttpServer server(answer(200, R"({"price": 62.45})"));
  add_vendor("Other", "http://other.invalid/");
  add_vendor("Shop", server.url("/p?id={product}")).add_headers("X-Key: k");
  const JobResult job = ask("a b@c@Shop");
  EXPECT_EQ(job.error_message, "");
  const proto::PricesResult quote = quote_of(job);
  EXPECT_TRUE(quote.has_price());
  EXPECT_EQ(quote.minor_units(), 6245);
  EXPECT_EQ(quote.currency(), "USD");
  EXPECT_EQ(quote.status_code(), 200u);
  EXPECT_GT(quote.load_us(), 0u);
  const HttpRequestRecord request = server.requests().at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/p?id=a%20b%40c");
  EXPECT_EQ(request.header("X-Key"), "k");
  EXPECT_EQ(request.header("User-Agent"), "fantail");
  EXPECT_EQ(events_.written().at(0).second, server.host());
}

TEST_F(PricesProcessor, PostsABodyAndFollowsRedirects) {
  HttpServer server([](const HttpRequestRecord& request, HttpConversation& peer) {
    if (request.target == "/again") return peer.respond(307, {"Location: /see"}, "");
    if (request.target == "/see") return peer.respond(303, {"Location: /quote"}, "no JSON");
    peer.respond(200, {}, R"({"price": "1.00"})");
  });
  proto::Vendor& vendor = add_vendor("Shop", server.url("/again"));
  vendor.set_method("POST");
  vendor.set_body(R"({"id": "{product}"})");
  EXPECT_EQ(quote_of(ask("x@Shop")).minor_units(), 100);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3u);
  for (const std::size_t index : {0u, 1u}) {
    EXPECT_EQ(requests[index].method, "POST");
    EXPECT_EQ(requests[index].body, R"({"id": "x"})");
    EXPECT_EQ(requests[index].header("Content-Type"), "application/json");
  }
  EXPECT_EQ(requests[2].method, "GET");
  EXPECT_EQ(requests[2].body, "");
  EXPECT_EQ(requests[2].header("Content-Type"), "");
}

TEST_F(PricesProcessor, PostsNothingToo) {
  HttpServer server(answer(200, R"({"price": 1})"));
  add_vendor("Shop", server.url("/")).set_method("POST");
  EXPECT_EQ(ask("x@Shop").status, Status::kOk);
  EXPECT_EQ(server.requests().at(0).method, "POST");
  EXPECT_EQ(server.requests().at(0).header("Content-Length"), "0");
}

TEST_F(PricesProcessor, ReportsAFailingVendorWithItsStatus) {
  HttpServer server(answer(500, R"({"price": 1})"));
  add_vendor("Shop", server.url("/"));
  const JobResult job = ask("x@Shop");
  EXPECT_EQ(job.status, Status::kFailed);
  EXPECT_EQ(job.error_code, "http_status");
  EXPECT_EQ(job.error_message, "HTTP 500 Internal Server Error");
  EXPECT_EQ(quote_of(job).status_code(), 500u);
  EXPECT_GT(quote_of(job).load_us(), 0u);
  EXPECT_FALSE(quote_of(job).has_price());
}

TEST_F(PricesProcessor, ReportsWhatIsNoQuote) {
  HttpServer server(answer(200, "{\"price\""));
  add_vendor("Shop", server.url("/"));
  EXPECT_EQ(ask("x@Shop").error_code, "bad_json");
}

TEST_F(PricesProcessor, HoldsEachVendorToItsOwnTimeout) {
  HttpServer server([](const HttpRequestRecord&, HttpConversation& peer) { peer.hold(); });
  add_vendor("Slow", server.url("/")).set_timeout_us(50'000);
  const JobResult job = ask("x@Slow");
  EXPECT_EQ(job.error_code, "timeout");
  EXPECT_EQ(quote_of(job).status_code(), 0u);
  EXPECT_GE(quote_of(job).load_us(), 40'000u);
}

TEST_F(PricesProcessor, HoldsAnswersToTheSizeLimit) {
  HttpServer server(answer(200, std::string(10'001, ' ')));
  add_vendor("Shop", server.url("/"));
  EXPECT_EQ(ask("x@Shop").error_code, "body_too_large");
}

TEST_F(PricesProcessor, RefusesInputsThatNameNoVendor) {
  add_vendor("Shop", "shop.test/{product}");
  EXPECT_EQ(ask("x@Nobody").error_code, "bad_vendor");
  EXPECT_EQ(ask("x").error_code, "bad_input");
  EXPECT_EQ(ask("x@Shop").error_code, "bad_url");
}

}  // namespace
}  // namespace fantail
