// A small HTTP server for tests: loopback, a port of its own, a thread per connection. The test's handler
// writes whatever it likes, well-formed or not; the server keeps a record of what was asked and which
// connections ended.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fantail {

struct HttpRequestRecord {
  std::string method;
  std::string target;  // "/a?b"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::steady_clock::time_point received;
  std::uint64_t connection = 0;

  // "" when there is none; the name is compared byte by byte.
  std::string header(std::string_view name) const;
};

// One connection, for the handler.
class HttpConversation {
 public:
  HttpConversation(int socket, const std::function<bool()>& stopped) : socket_(socket), stopped_(stopped) {}

  // A whole answer with its length. Headers: "Name: value".
  void respond(int status, const std::vector<std::string>& headers, std::string_view body);
  void send(std::string_view bytes);
  // One piece of a chunked body; "" ends the body.
  void send_chunk(std::string_view bytes);
  // Waits until the peer closes the connection or the server stops.
  void hold();
  // Waits that long; less when the peer closes or the server stops. True: the time is over.
  bool hold_for(std::chrono::milliseconds duration);
  // The connection ends after this answer.
  void close() { open_ = false; }
  bool is_open() const { return open_; }

 private:
  int socket_;
  const std::function<bool()>& stopped_;
  bool open_ = true;
};

class HttpServer {
 public:
  using Handler = std::function<void(const HttpRequestRecord&, HttpConversation&)>;

  // The handler is called from many threads at once.
  explicit HttpServer(Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string host() const;                        // "127.0.0.1:PORT"
  std::string url(std::string_view target) const;  // "http://127.0.0.1:PORT/target"
  std::vector<HttpRequestRecord> requests() const;
  std::size_t closed_connections() const;
  // False when that has not come about within 10 s.
  bool wait_for_requests(std::size_t count) const;
  bool wait_for_closed_connections(std::size_t count) const;

 private:
  void accept_connections();
  void serve(int socket, std::uint64_t connection);
  bool read_request(int socket, std::string& buffer, HttpRequestRecord& request) const;
  bool stopped() const;

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool stopped_ = false;
  std::size_t closed_ = 0;
  std::vector<HttpRequestRecord> requests_;
  std::list<std::thread> conversations_;
  std::thread acceptor_;
};

// A port of loopback where nobody listens, and nobody else can as long as this lives.
class RefusingPort {
 public:
  RefusingPort();
  ~RefusingPort();
  RefusingPort(const RefusingPort&) = delete;
  RefusingPort& operator=(const RefusingPort&) = delete;

  std::string host() const;  // "127.0.0.1:PORT"

 private:
  std::uint16_t port_ = 0;
  int socket_;
};

}  // namespace fantail
