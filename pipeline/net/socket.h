// ZeroMQ sockets as fantail uses them: single-frame messages, never blocking, every option set in one place.
// This folder holds the only code that knows ZeroMQ. A socket belongs to the thread that made it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "pipeline/endpoint.h"

namespace google::protobuf {
class MessageLite;
}

namespace fantail {

// Lives longer than its sockets. One I/O thread.
class SocketContext {
 public:
  SocketContext();
  zmq::context_t& raw() { return context_; }

 private:
  zmq::context_t context_;
};

enum class SocketType { kPush, kPull, kDealer, kRouter };

// One received message; for a ROUTER also whom it came from. The bytes live as long as the frame.
class Frame {
 public:
  std::string_view bytes() const { return {static_cast<const char*>(message_.data()), message_.size()}; }
  const std::string& from() const { return from_; }

 private:
  friend class Socket;
  zmq::message_t message_;
  std::string from_;
};

class Socket {
 public:
  Socket(SocketContext& context, SocketType type);

  // Binds, and says where: a port of 0 becomes the one that was free. Errors: why not, in words.
  struct Bound {
    std::optional<Endpoint> endpoint;
    std::string error;
    bool in_use = false;
  };
  Bound bind(const Endpoint& endpoint);
  bool connect(const Endpoint& endpoint);  // false: not an address at all

  // False: nobody is there or the queue is full, and the message is not sent.
  bool send(std::string_view bytes);
  bool send(const std::shared_ptr<const std::string>& bytes);     // not copied
  bool send(const google::protobuf::MessageLite& message);        // serialized in place
  bool send_to(const std::string& peer, std::string_view bytes);  // ROUTER
  // Somebody is connected who takes messages.
  bool can_send() { return (socket_.get(zmq::sockopt::events) & ZMQ_POLLOUT) != 0; }
  // False: nothing is there. Malformed messages are skipped.
  bool receive(Frame& frame);

  zmq::socket_t& raw() { return socket_; }

 private:
  bool send(zmq::message_t message);

  zmq::socket_t socket_;
  SocketType type_;
};

// Tells when the connection of a connecting socket closes. It must be read whenever readable(): an unread one
// would stop the socket's I/O thread.
class ConnectionWatch {
 public:
  ConnectionWatch(SocketContext& context, Socket& watched, const std::string& name);
  ~ConnectionWatch();
  ConnectionWatch(const ConnectionWatch&) = delete;
  ConnectionWatch& operator=(const ConnectionWatch&) = delete;
  bool closed();  // reads all events; true when one of them was a close
  zmq::socket_t& raw() { return events_; }

 private:
  Socket& watched_;
  zmq::socket_t events_;
};

}  // namespace fantail
