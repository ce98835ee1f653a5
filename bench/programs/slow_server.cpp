// An HTTP server that is far away: every answer leaves DELAY milliseconds after its request came. Serves the
// files of a folder from memory, one request at a time per connection, connections kept. Its clients are a
// benchmark's own: it understands no more than they say.
//
// usage: bench-slow-server PORT DELAY-MS FOLDER
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

using Clock = std::chrono::steady_clock;

std::unordered_map<std::string, std::string> load_answers(const char* folder) {
  std::unordered_map<std::string, std::string> answers;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string body{std::istreambuf_iterator<char>(file), {}};
    answers["/" + entry.path().filename().string()] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  return answers;
}

int listen_at(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 4096) != 0) {
    std::perror("bind");
    std::exit(1);
  }
  return listener;
}

class Server {
 public:
  Server(std::uint16_t port, Clock::duration delay, const char* folder)
      : answers_(load_answers(folder)),
        delay_(delay),
        listener_(listen_at(port)),
        epoll_(::epoll_create1(0)) {
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 256> events;
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_) {
          accept_all();
        } else if ((event.events & EPOLLOUT) != 0) {
          write(event.data.fd);
        } else {
          read(event.data.fd);
        }
      }
      for (const auto now = Clock::now(); !waiting_.empty() && waiting_.front().due <= now;
           waiting_.pop_front()) {
        const Waiting& first = waiting_.front();
        const auto connection = connections_.find(first.socket);
        if (connection != connections_.end() && connection->second.number == first.connection)
          write(first.socket);
      }
    }
  }

 private:
  struct Connection {
    std::uint64_t number = 0;  // sockets are used again
    std::string request;
    std::string_view rest;  // of the answer
    bool is_full = false;   // the peer takes no more for now
  };
  struct Waiting {
    Clock::time_point due;
    int socket;
    std::uint64_t connection;
  };

  void watch(int socket, std::uint32_t what, int operation) {
    epoll_event event{};
    event.events = what;
    event.data.fd = socket;
    ::epoll_ctl(epoll_, operation, socket, &event);
  }

  void accept_all() {
    int socket = 0;
    while ((socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      const int on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_[socket] = {++accepted_, {}, {}, false};
      watch(socket, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void close(int socket) {
    connections_.erase(socket);
    ::close(socket);
  }

  void read(int socket) {
    Connection& connection = connections_.at(socket);
    std::array<char, 4096> bytes;
    const ssize_t size = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return close(socket);
    connection.request.append(bytes.data(), static_cast<std::size_t>(size));
    if (!connection.request.ends_with("\r\n\r\n")) return;
    const std::size_t path = connection.request.find(' ') + 1;
    const auto answer =
        answers_.find(connection.request.substr(path, connection.request.find(' ', path) - path));
    if (answer == answers_.end()) return close(socket);
    connection.request.clear();
    connection.rest = answer->second;
    waiting_.push_back({Clock::now() + delay_, socket, connection.number});
  }

  void write(int socket) {
    Connection& connection = connections_.at(socket);
    const ssize_t size = ::send(socket, connection.rest.data(), connection.rest.size(), MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN) return close(socket);
    connection.rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    const bool was_full = connection.is_full;
    connection.is_full = !connection.rest.empty();
    if (connection.is_full != was_full) watch(socket, connection.is_full ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }

  int wait_ms() const {
    if (waiting_.empty()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(waiting_.front().due - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }

  const std::unordered_map<std::string, std::string> answers_;  // whole, by path
  const Clock::duration delay_;
  const int listener_;
  const int epoll_;
  std::uint64_t accepted_ = 0;
  std::unordered_map<int, Connection> connections_;  // by socket
  std::deque<Waiting> waiting_;  // in the order of their times: the delay is the same for all
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s PORT DELAY-MS FOLDER\n", argv[0]);
    return 2;
  }
  Server(static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10)),
         std::chrono::milliseconds(std::strtol(argv[2], nullptr, 10)), argv[3])
      .run();
}
