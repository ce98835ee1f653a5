#include "pipeline/net/socket.h"

#include <google/protobuf/message_lite.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace fantail {

namespace {

// A message beyond this closes the connection that brings it. Senders keep well below.
constexpr std::int64_t kMessageBytesMax = 64 << 20;
constexpr int kHandshakeMs = 2000;
constexpr int kReconnectMs = 50;
constexpr int kReconnectMsMax = 2000;
// Control messages are cumulative or states: a short queue towards a peer that is away is enough.
constexpr int kControlQueue = 1000;
constexpr int kSocketsMax = 65535;

zmq::socket_type native(SocketType type) {
  switch (type) {
    case SocketType::kPush:
      return zmq::socket_type::push;
    case SocketType::kPull:
      return zmq::socket_type::pull;
    case SocketType::kDealer:
      return zmq::socket_type::dealer;
    case SocketType::kRouter:
      return zmq::socket_type::router;
  }
  return zmq::socket_type::dealer;
}

void set_common_options(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::maxmsgsize, kMessageBytesMax);
  socket.set(zmq::sockopt::handshake_ivl, kHandshakeMs);
  socket.set(zmq::sockopt::reconnect_ivl, kReconnectMs);
  socket.set(zmq::sockopt::reconnect_ivl_max, kReconnectMsMax);
  socket.set(zmq::sockopt::backlog, 512);
  // A host that vanished is noticed by TCP in half a minute. ZeroMQ's own heartbeats abort 4.3.4 on sockets
  // that are held back by a high-water mark; ours travel in the control messages.
  socket.set(zmq::sockopt::tcp_keepalive, 1);
  socket.set(zmq::sockopt::tcp_keepalive_idle, 10);
  socket.set(zmq::sockopt::tcp_keepalive_intvl, 5);
  socket.set(zmq::sockopt::tcp_keepalive_cnt, 3);
}

}  // namespace

SocketContext::SocketContext() {
  context_.set(zmq::ctxopt::max_sockets, kSocketsMax);
  context_.set(zmq::ctxopt::blocky, 0);
}

Socket::Socket(SocketContext& context, SocketType type) : socket_(context.raw(), native(type)), type_(type) {
  set_common_options(socket_);
  switch (type) {
    case SocketType::kPush:
    case SocketType::kPull:
      // Credit and retained results bound what is queued; a high-water mark would only drop or block.
      socket_.set(zmq::sockopt::sndhwm, 0);
      socket_.set(zmq::sockopt::rcvhwm, 100);
      break;
    case SocketType::kDealer:
      socket_.set(zmq::sockopt::sndhwm, kControlQueue);
      socket_.set(zmq::sockopt::rcvhwm, kControlQueue);
      break;
    case SocketType::kRouter:
      socket_.set(zmq::sockopt::router_mandatory, 1);
      socket_.set(zmq::sockopt::sndhwm, kControlQueue);
      socket_.set(zmq::sockopt::rcvhwm, kControlQueue);
      break;
  }
}

Socket::Bound Socket::bind(const Endpoint& endpoint) {
  if (endpoint.transport == Endpoint::Transport::kTcp && endpoint.host.starts_with('[')) {
    socket_.set(zmq::sockopt::ipv6, 1);
  }
  try {
    socket_.bind(endpoint.text());
    std::optional<Endpoint> bound = parse_endpoint(socket_.get(zmq::sockopt::last_endpoint));
    if (!bound) bound = endpoint;
    bound->host = endpoint.host;  // ZeroMQ says 0.0.0.0 for *
    return {bound, {}, false};
  } catch (const zmq::error_t& error) {
    const bool in_use = error.num() == EADDRINUSE;
    return {std::nullopt, in_use ? "the address is in use" : std::string(error.what()), in_use};
  }
}

bool Socket::connect(const Endpoint& endpoint) {
  if (endpoint.transport == Endpoint::Transport::kTcp && endpoint.host.starts_with('[')) {
    socket_.set(zmq::sockopt::ipv6, 1);
  }
  try {
    socket_.connect(endpoint.text());
    return true;
  } catch (const zmq::error_t&) {
    return false;
  }
}

bool Socket::send(std::string_view bytes) {
  return send(zmq::message_t(bytes.data(), bytes.size()));
}

bool Socket::send(const std::shared_ptr<const std::string>& bytes) {
  using Held = std::shared_ptr<const std::string>;
  const auto let_go = [](void*, void* held) { delete static_cast<Held*>(held); };
  return send(zmq::message_t(const_cast<char*>(bytes->data()), bytes->size(), let_go, new Held(bytes)));
}

bool Socket::send(const google::protobuf::MessageLite& message) {
  zmq::message_t bytes(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(static_cast<std::uint8_t*>(bytes.data()));
  return send(std::move(bytes));
}

bool Socket::send(zmq::message_t message) {
  try {
    return socket_.send(message, zmq::send_flags::dontwait).has_value();
  } catch (const zmq::error_t& error) {
    if (error.num() == EINTR || error.num() == EHOSTUNREACH) return false;
    throw;
  }
}

bool Socket::send_to(const std::string& peer, std::string_view bytes) {
  try {
    if (!socket_.send(zmq::buffer(peer), zmq::send_flags::dontwait | zmq::send_flags::sndmore)) return false;
    return socket_.send(zmq::buffer(bytes), zmq::send_flags::dontwait).has_value();
  } catch (const zmq::error_t& error) {
    if (error.num() == EINTR || error.num() == EHOSTUNREACH) return false;
    throw;
  }
}

bool Socket::receive(Frame& frame) {
  // Asking for events first spares libzmq's slow path of a failed receive.
  while ((socket_.get(zmq::sockopt::events) & ZMQ_POLLIN) != 0) {
    int frames = 0;
    bool more = true;
    zmq::message_t part;
    while (more) {
      try {
        if (!socket_.recv(part, zmq::recv_flags::dontwait)) return false;
      } catch (const zmq::error_t& error) {
        if (error.num() == EINTR) continue;
        throw;
      }
      more = part.more();
      ++frames;
      if (type_ == SocketType::kRouter && frames == 1) {
        frame.from_.assign(static_cast<const char*>(part.data()), part.size());
      } else {
        frame.message_ = std::move(part);
      }
    }
    // Our messages have one frame; what a stranger sends in another shape is passed over.
    if (frames == (type_ == SocketType::kRouter ? 2 : 1)) return true;
  }
  return false;
}

ConnectionWatch::ConnectionWatch(SocketContext& context, Socket& watched, const std::string& name)
    : watched_(watched), events_(context.raw(), zmq::socket_type::pair) {
  const std::string address = "inproc://watch-" + name;
  zmq_socket_monitor(watched.raw().handle(), address.c_str(), ZMQ_EVENT_DISCONNECTED);
  events_.set(zmq::sockopt::linger, 0);
  events_.connect(address);
}

ConnectionWatch::~ConnectionWatch() {
  zmq_socket_monitor(watched_.raw().handle(), nullptr, 0);
}

bool ConnectionWatch::closed() {
  bool closed = false;
  zmq::message_t part;
  while ((events_.get(zmq::sockopt::events) & ZMQ_POLLIN) != 0 &&
         events_.recv(part, zmq::recv_flags::dontwait)) {
    std::uint16_t event = 0;
    if (part.more() && part.size() >= sizeof(event)) std::memcpy(&event, part.data(), sizeof(event));
    if (event == ZMQ_EVENT_DISCONNECTED) closed = true;
  }
  return closed;
}

}  // namespace fantail
