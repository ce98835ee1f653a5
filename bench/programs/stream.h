// A connection to a broker: what is written is sent together, at the latest before it waits; what comes is
// read in lines and in bytes.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "bench/programs/chain.h"

namespace bench {

class Stream {
 public:
  // The address is a port of this machine, or the path of a socket.
  explicit Stream(const std::string& address) {
    const bool is_path = address.find('/') != std::string::npos;
    descriptor_ = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(descriptor_ >= 0, "socket");
    require((is_path ? connect_path(address) : connect_port(address)) == 0, "the server does not answer");
    fcntl(descriptor_, F_SETFL, O_NONBLOCK);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { close(descriptor_); }

  void write(std::string_view bytes) { out_.append(bytes); }

  // Sends what was written. Takes in what comes meanwhile: both sides might wait for each other else.
  void flush() {
    std::size_t sent = 0;
    while (sent < out_.size()) {
      const ssize_t took = send(descriptor_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
      if (took > 0) {
        sent += static_cast<std::size_t>(took);
      } else {
        require(errno == EAGAIN, "send");
        wait(POLLIN | POLLOUT);
        take_in();
      }
    }
    out_.clear();
  }

  // Up to the next \r\n, which is not in it. Valid until the next call.
  std::string_view line() {
    std::size_t searched = 0;
    while (true) {
      const std::size_t end = in_.find("\r\n", begin_ + searched);
      if (end != std::string::npos) {
        const std::string_view found(in_.data() + begin_, end - begin_);
        begin_ = end + 2;
        return found;
      }
      searched = in_.size() - begin_ > 0 ? in_.size() - begin_ - 1 : 0;
      more();
    }
  }

  // The next bytes, so many. Valid until the next call.
  std::string_view bytes(std::size_t size) {
    while (in_.size() - begin_ < size)
      more();
    const std::string_view found(in_.data() + begin_, size);
    begin_ += size;
    return found;
  }

  // Whether something has come that was not read yet.
  bool has_input() const { return begin_ < in_.size(); }

 private:
  static constexpr std::size_t kReadBytes = 256 * 1024;

  int connect_path(const std::string& path) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    require(path.size() < sizeof address.sun_path, "the path of the socket is too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    return connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }

  int connect_port(const std::string& port) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }

  void wait(int events) const {
    pollfd polled{descriptor_, static_cast<short>(events), 0};
    poll(&polled, 1, -1);
  }

  bool take_in() {
    if (begin_ > kReadBytes) {
      in_.erase(0, begin_);
      begin_ = 0;
    }
    const ssize_t came = recv(descriptor_, buffer_, sizeof buffer_, 0);
    if (came > 0) in_.append(buffer_, static_cast<std::size_t>(came));
    require(came > 0 || (came < 0 && errno == EAGAIN), "the server closed the connection");
    return came > 0;
  }

  // Nobody waits for an answer to what still lies here.
  void more() {
    if (!out_.empty()) flush();
    while (!take_in())
      wait(POLLIN);
  }

  int descriptor_;
  std::string out_;
  std::string in_;
  std::size_t begin_ = 0;  // of what was not read yet, in in_
  char buffer_[kReadBytes];
};

// The number at the end of a word or of a line.
inline std::size_t number_of(std::string_view digits) {
  std::size_t number = 0;
  for (const char digit : digits) {
    require(digit >= '0' && digit <= '9', "the server's answer is not understood");
    number = number * 10 + static_cast<std::size_t>(digit - '0');
  }
  return number;
}

// The next word of a line, which loses it.
inline std::string_view word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view found = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return found;
}

}  // namespace bench
