// One job on the network: an exchange and the redirects that it leads to, under one time limit. Knows neither
// what the body means nor who hands out permits.
//
//   hop ---redirect---> wait for permit ---on_permit---> hop ... ---answer, error or limit---> end
//    \____redirect, when no permits are asked___________/
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/url/url.h"
#include "worker/http/http_error.h"
#include "worker/http/transfer.h"
#include "worker/http/transfer_engine.h"
#include "worker/processor.h"

namespace fantail {

constexpr std::uint64_t kDefaultMaxBodyBytes = 10u << 20;

struct FetchRequest {
  Url url;  // http or https
  std::string method = "GET";
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::string user_agent = "fantail";
  std::string_view ca_certificates;      // PEM, must outlive the fetch; empty: the machine's own
  std::chrono::microseconds timeout{0};  // the job's own, waiting for permits included; 0: none
  std::optional<std::chrono::microseconds> time_left;  // the run's
  std::uint64_t max_body_bytes = kDefaultMaxBodyBytes;
  std::uint32_t max_redirects = 10;
  bool permit_every_hop = false;
};

// The last response, as far as it is known.
struct Response {
  Url url;                        // without user name and password
  std::uint32_t status_code = 0;  // 0 while none came
  std::string content_type;       // "" when there was none
  std::chrono::seconds retry_after{0};
  std::uint64_t bytes = 0;  // delivered
  // The sum of all exchanges, redirects included; the waiting for permits between them is not.
  std::chrono::microseconds load_time{0};
};

struct FetchEnd {
  StopReason stopped = StopReason::kNone;  // kExpired: the run's time ran out first
  std::optional<HttpError> error;          // none: an answer came whole, whatever its status
};

class FetchListener {
 public:
  virtual ~FetchListener() = default;
  // In these two the fetch must not be destroyed. The body is that of the last response, not of redirects.
  virtual void on_request_written(const std::string& host) = 0;
  virtual void on_body(const Response& response, std::string_view bytes) = 0;
  virtual void on_permit_wanted(const std::string& host) = 0;
  // The last call; the fetch may be destroyed in it.
  virtual void on_fetched(const Response& response, FetchEnd end) = 0;
};

class Fetch : private TransferListener {
 public:
  Fetch(TransferEngine& engine, FetchRequest request, FetchListener& listener);
  // Tears down what still runs, without a word.
  ~Fetch() override;
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  // Called once. May end the fetch before it returns.
  void start();
  // Ignored unless just this host's permit is awaited.
  void on_permit(const std::string& host);

 private:
  void on_request_written() override;
  void on_body(std::string_view bytes) override;
  void on_transfer_done(std::optional<HttpError> error) override;

  void arm_limit();
  void on_limit(bool is_the_runs);
  void start_hop();
  void read_response();
  // Where the response leads to; empty for a response that is the last.
  std::optional<std::string> redirect_location() const;
  void follow(const std::string& location);
  void turn_request_to(Url target);
  void end(FetchEnd end);

  TransferEngine& engine_;
  FetchRequest request_;  // of the current hop
  FetchListener& listener_;
  Response response_;
  std::unique_ptr<Transfer> transfer_;
  std::optional<TransferEngine::TimerId> limit_;
  std::uint32_t redirects_ = 0;
  bool waits_for_permit_ = false;
};

}  // namespace fantail
