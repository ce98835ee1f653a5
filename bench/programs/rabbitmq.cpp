// The chain through RabbitMQ, by its C client.
//   bench-rabbitmq plain|confirmed PORT JOBS
// Transient messages in queues of memory. plain: neither confirms nor acknowledgements. confirmed: publishing
// is confirmed (1,000 on their way), a job is acknowledged once its result is confirmed, 200 in a worker's
// hands.
#include <amqp.h>
#include <amqp_tcp_socket.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bench/programs/chain.h"

namespace bench {
namespace {

constexpr std::uint64_t kPublishAhead = 1000;
constexpr std::uint16_t kInHand = 200;
constexpr amqp_channel_t kChannel = 1;
constexpr int kFrameBytesMax = 131072;

// The library's own macro casts in a way that warns.
amqp_bytes_t bytes_of(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}

class Connection {
 public:
  Connection(int port, bool confirmed) : connection_(amqp_new_connection()), confirmed_(confirmed) {
    amqp_socket_t* socket = amqp_tcp_socket_new(connection_);
    require(socket != nullptr && amqp_socket_open(socket, "127.0.0.1", port) == AMQP_STATUS_OK,
            "the server does not answer");
    const amqp_rpc_reply_t login =
        amqp_login(connection_, "/", 0, kFrameBytesMax, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    require(login.reply_type == AMQP_RESPONSE_NORMAL, "login");
    require(amqp_channel_open(connection_, kChannel) != nullptr, "channel");
    for (const char* queue : {"jobs", "results"})
      require(
          amqp_queue_declare(connection_, kChannel, bytes_of(queue), 0, 0, 0, 0, amqp_empty_table) != nullptr,
          "queue");
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void confirm_publishing() {
    if (confirmed_) require(amqp_confirm_select(connection_, kChannel) != nullptr, "confirm");
  }

  void consume(const char* queue) {
    if (confirmed_) require(amqp_basic_qos(connection_, kChannel, 0, kInHand, 0) != nullptr, "prefetch");
    require(amqp_basic_consume(connection_, kChannel, bytes_of(queue), amqp_empty_bytes, 0,
                               confirmed_ ? 0 : 1, 0, amqp_empty_table) != nullptr,
            "consume");
  }

  void publish(const char* queue, amqp_bytes_t payload) {
    require(amqp_basic_publish(connection_, kChannel, amqp_empty_bytes, bytes_of(queue), 0, 0, nullptr,
                               payload) == AMQP_STATUS_OK,
            "publish");
  }

  void acknowledge(std::uint64_t tag, bool multiple) {
    require(amqp_basic_ack(connection_, kChannel, tag, multiple ? 1 : 0) == AMQP_STATUS_OK, "acknowledge");
  }

  // The next thing that comes: a message, or that what was published is confirmed.
  template <typename OnMessage, typename OnConfirm>
  void read(const OnMessage& on_message, const OnConfirm& on_confirm) {
    amqp_maybe_release_buffers(connection_);
    amqp_envelope_t envelope;
    const amqp_rpc_reply_t reply = amqp_consume_message(connection_, &envelope, nullptr, 0);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
      on_message(envelope);
      amqp_destroy_envelope(&envelope);
      return;
    }
    require(reply.library_error == AMQP_STATUS_UNEXPECTED_STATE, "receive");
    read_confirm(on_confirm);
  }

  template <typename OnConfirm>
  void read_confirm(const OnConfirm& on_confirm) {
    amqp_maybe_release_buffers(connection_);
    amqp_frame_t frame;
    require(amqp_simple_wait_frame(connection_, &frame) == AMQP_STATUS_OK, "receive");
    require(frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD,
            "the server says something else than that it has what was published");
    const auto* ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
    on_confirm(ack->delivery_tag, ack->multiple != 0);
  }

 private:
  amqp_connection_state_t connection_;
  bool confirmed_;
};

const auto kNoConfirm = [](std::uint64_t, bool) { fail("a confirm that nobody asked for"); };

void ventilate(int port, bool confirmed, Chain& chain) {
  Connection server(port, confirmed);
  server.confirm_publishing();
  const std::string payload(kPayloadBytes, 'x');
  chain.wait_until_ready(kWorkers + 1);
  chain.first_send();
  std::uint64_t unconfirmed_from = 1;
  const auto on_confirm = [&](std::uint64_t tag, bool) {
    unconfirmed_from = std::max(unconfirmed_from, tag + 1);
  };
  for (std::uint64_t job = 1; job <= chain.jobs(); ++job) {
    server.publish("jobs", bytes_of(payload));
    while (confirmed && job >= unconfirmed_from + kPublishAhead)
      server.read_confirm(on_confirm);
  }
  while (confirmed)
    server.read_confirm(on_confirm);
  pause();
}

// Results are published in the order in which jobs were delivered, so both have the same tags.
void work(int port, bool confirmed, Chain& chain) {
  Connection server(port, confirmed);
  server.confirm_publishing();
  server.consume("jobs");
  chain.is_ready();
  while (true) {
    server.read([&](const amqp_envelope_t& envelope) { server.publish("results", envelope.message.body); },
                [&](std::uint64_t tag, bool multiple) { server.acknowledge(tag, multiple); });
  }
}

void collect(int port, bool confirmed, Chain& chain) {
  Connection server(port, confirmed);
  server.consume("results");
  chain.is_ready();
  std::uint64_t bytes = 0;
  for (std::uint64_t jobs = 1; jobs <= chain.jobs(); ++jobs) {
    server.read(
        [&](const amqp_envelope_t& envelope) {
          bytes += envelope.message.body.len;
          const bool acknowledge_now = jobs % (kInHand / 2) == 0 || jobs == chain.jobs();
          if (confirmed && acknowledge_now) server.acknowledge(envelope.delivery_tag, true);
        },
        kNoConfirm);
  }
  chain.print_rate(bytes);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const std::string_view mode = argc == 4 ? argv[1] : "";
  if (mode != "plain" && mode != "confirmed") {
    std::fprintf(stderr, "usage: bench-rabbitmq plain|confirmed PORT JOBS\n");
    return 2;
  }
  const int port = std::atoi(argv[2]);
  const bool confirmed = mode == "confirmed";
  bench::Chain chain(std::strtoull(argv[3], nullptr, 10));
  chain.run([&] { bench::ventilate(port, confirmed, chain); }, [&] { bench::work(port, confirmed, chain); },
            [&] { bench::collect(port, confirmed, chain); });
  return 0;
}
