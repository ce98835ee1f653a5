// One HTTP exchange: a request and its answer, redirects not followed. Has no time limit of its own: who
// started it destroys it, and with it its connection.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/http/http_error.h"
#include "worker/http/transfer_engine.h"

namespace fantail {

struct TransferRequest {
  std::string url;   // http or https, without fragment
  std::string host;  // "example.com:443", for messages
  std::string method = "GET";
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::string user_agent;
  std::string_view ca_certificates;  // PEM, must outlive the transfer; empty: the machine's own
  std::uint64_t max_body_bytes = 0;  // of the answer, decompressed
};

// Hears of one transfer, on the engine's thread.
class TransferListener {
 public:
  virtual ~TransferListener() = default;
  // A connection stands and the request goes out. Once in a transfer, although libcurl may repeat the request
  // when an old connection turns out to be dead. The transfer must not be destroyed here or in on_body.
  virtual void on_request_written() = 0;
  // Status and headers are known.
  virtual void on_body(std::string_view bytes) = 0;
  // The last call; the transfer may be destroyed in it.
  virtual void on_transfer_done(std::optional<HttpError> error) = 0;
};

class Transfer {
 public:
  Transfer(TransferEngine& engine, TransferRequest request, TransferListener& listener);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // False when libcurl refuses; nothing is heard then.
  bool start();

  std::uint32_t status_code() const;  // 0 while none came
  std::string content_type() const;   // "" when there was none
  std::optional<std::string> location() const;
  // What the header says, be it seconds or a date; 0: nothing.
  std::chrono::seconds retry_after() const;
  // Delivered body bytes, at most max_body_bytes: where a piece ends depends on the network.
  std::uint64_t bytes() const { return bytes_; }
  std::chrono::microseconds elapsed() const;  // from start until the end or now

  // For the engine.
  void on_done(CURLcode code);

 private:
  static std::size_t write(char* data, std::size_t size, std::size_t count, void* self);
  static int before_request(void* self, char*, char*, int, int);
  // A GET with nothing added, as nearly all are: it leaves nothing behind in its handle that the next does
  // not set.
  bool is_plain() const;
  void set_options();
  void set_method_and_body();
  void set_headers();

  TransferEngine& engine_;
  TransferRequest request_;
  TransferListener& listener_;
  CURL* handle_;
  curl_slist* headers_ = nullptr;
  std::uint64_t bytes_ = 0;
  bool request_written_ = false;
  bool body_too_large_ = false;
  TransferEngine::Clock::time_point started_;
  std::optional<TransferEngine::Clock::time_point> ended_;
};

}  // namespace fantail
