#include "tests/support/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace fantail {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How often a waiting thread looks whether the server stops.
constexpr int kLookMs = 20;
constexpr std::chrono::seconds kPatience{10};
// The first byte of a peer that speaks TLS: the conversation ends there.
constexpr char kTlsHandshake = 0x16;

int bind_on_loopback(std::uint16_t& port) {
  const int bound = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bound < 0 || ::bind(bound, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(bound, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("cannot bind on loopback");
  }
  port = ntohs(address.sin_port);
  return bound;
}

std::string loopback_host(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

bool is_readable(int socket) {
  pollfd entry{socket, POLLIN, 0};
  return ::poll(&entry, 1, kLookMs) > 0;
}

bool peer_has_closed(int socket) {
  char byte = 0;
  return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

// Requires: head ends with an empty line.
HttpRequestRecord parse_head(std::string_view head) {
  HttpRequestRecord request;
  const std::size_t method_end = head.find(' ');
  const std::size_t target_end = head.find(' ', method_end + 1);
  request.method = head.substr(0, method_end);
  request.target = head.substr(method_end + 1, target_end - method_end - 1);
  std::size_t start = head.find("\r\n") + 2;
  while (head.substr(start, 2) != "\r\n") {
    const std::size_t end = head.find("\r\n", start);
    const std::string_view line = head.substr(start, end - start);
    const std::size_t colon = line.find(": ");
    if (colon != line.npos) request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    start = end + 2;
  }
  return request;
}

}  // namespace

std::string HttpRequestRecord::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

void HttpConversation::respond(int status, const std::vector<std::string>& headers, std::string_view body) {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n";
  for (const std::string& header : headers)
    answer.append(header).append("\r\n");
  answer.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  send(answer);
}

void HttpConversation::send(std::string_view bytes) {
  while (!bytes.empty() && open_ && !stopped_()) {
    pollfd entry{socket_, POLLOUT, 0};
    if (::poll(&entry, 1, kLookMs) <= 0) continue;
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN) open_ = false;
  }
}

void HttpConversation::send_chunk(std::string_view bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  send(std::string(size).append(bytes).append("\r\n"));
}

void HttpConversation::hold() {
  while (hold_for(milliseconds(1000))) {
  }
  open_ = false;
}

bool HttpConversation::hold_for(milliseconds duration) {
  const auto until = steady_clock::now() + duration;
  while (open_ && steady_clock::now() < until && !stopped_()) {
    if (is_readable(socket_) && peer_has_closed(socket_)) open_ = false;
  }
  return open_ && !stopped_();
}

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = bind_on_loopback(port_);
  if (::listen(listener_, 1024) != 0) throw std::runtime_error("cannot listen on loopback");
  acceptor_ = std::thread([this] { accept_connections(); });
}

HttpServer::~HttpServer() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  acceptor_.join();
  for (std::thread& conversation : conversations_)
    conversation.join();
  ::close(listener_);
}

std::string HttpServer::host() const {
  return loopback_host(port_);
}

std::string HttpServer::url(std::string_view target) const {
  return "http://" + host() + std::string(target);
}

std::vector<HttpRequestRecord> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t HttpServer::closed_connections() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

bool HttpServer::wait_for_requests(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return requests_.size() >= count; });
}

bool HttpServer::wait_for_closed_connections(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return closed_ >= count; });
}

bool HttpServer::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void HttpServer::accept_connections() {
  std::uint64_t count = 0;
  while (!stopped()) {
    if (!is_readable(listener_)) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    conversations_.emplace_back([this, socket, connection = ++count] { serve(socket, connection); });
  }
}

void HttpServer::serve(int socket, std::uint64_t connection) {
  const std::function<bool()> is_stopped = [this] { return stopped(); };
  HttpConversation conversation(socket, is_stopped);
  std::string buffer;
  HttpRequestRecord request;
  while (conversation.is_open() && read_request(socket, buffer, request)) {
    request.connection = connection;
    request.received = steady_clock::now();
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    changed_.notify_all();
    handler_(request, conversation);
  }
  ::close(socket);
  {
    const std::lock_guard lock(mutex_);
    ++closed_;
  }
  changed_.notify_all();
}

bool HttpServer::read_request(int socket, std::string& buffer, HttpRequestRecord& request) const {
  while (!stopped()) {
    const std::size_t head_end = buffer.find("\r\n\r\n");
    if (head_end != buffer.npos) {
      request = parse_head(std::string_view(buffer).substr(0, head_end + 4));
      const std::size_t length =
          static_cast<std::size_t>(std::strtoul(request.header("Content-Length").c_str(), nullptr, 10));
      if (buffer.size() >= head_end + 4 + length) {
        request.body = buffer.substr(head_end + 4, length);
        buffer.erase(0, head_end + 4 + length);
        return true;
      }
    }
    if (!is_readable(socket)) continue;
    char piece[4096];
    const ssize_t count = ::recv(socket, piece, sizeof piece, 0);
    if (count <= 0) return false;
    buffer.append(piece, static_cast<std::size_t>(count));
    if (buffer.front() == kTlsHandshake) return false;
  }
  return false;
}

RefusingPort::RefusingPort() : socket_(bind_on_loopback(port_)) {}

RefusingPort::~RefusingPort() {
  ::close(socket_);
}

std::string RefusingPort::host() const {
  return loopback_host(port_);
}

}  // namespace fantail
