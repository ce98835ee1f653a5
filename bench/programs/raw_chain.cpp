// The limit: jobs of 64 bytes from a ventilator through two workers to a sink, four processes over ipc, with
// libzmq and protobuf and no guarantee at all. Prints one JSON object.
//   bench-raw-chain single|batched|columnar JOBS   jobs per second from the first send to the last receive
//   bench-raw-chain latency JOBS                   one job at a time: from before its making to its decoding
#include <zmq.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/programs/chain.h"
#include "raw_chain.pb.h"

namespace bench {
namespace {

constexpr int kBatch = 256;
constexpr auto kIdle = std::chrono::milliseconds(5);  // between two jobs of `latency`

class Socket {
 public:
  Socket(void* context, int type) : socket_(zmq_socket(context, type)) {
    require(socket_ != nullptr, "socket");
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { zmq_close(socket_); }

  void bind(const std::string& address) { require(zmq_bind(socket_, address.c_str()) == 0, "bind"); }
  void connect(const std::string& address) { require(zmq_connect(socket_, address.c_str()) == 0, "connect"); }

  template <typename Message>
  void send(const Message& message) {
    zmq_msg_t frame;
    require(zmq_msg_init_size(&frame, message.ByteSizeLong()) == 0, "memory");
    message.SerializeWithCachedSizesToArray(static_cast<std::uint8_t*>(zmq_msg_data(&frame)));
    require(zmq_msg_send(&frame, socket_, 0) >= 0, "send");
  }

  template <typename Message>
  void receive(Message& message) {
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    require(zmq_msg_recv(&frame, socket_, 0) >= 0, "receive");
    require(message.ParseFromArray(zmq_msg_data(&frame), static_cast<int>(zmq_msg_size(&frame))), "parse");
    zmq_msg_close(&frame);
  }

  // Binds, and returns when so many peers are there: a PUSH socket deals only to those that it knows.
  void bind_and_wait_for(const std::string& address, int peers, void* context) {
    require(zmq_socket_monitor(socket_, "inproc://peers", ZMQ_EVENT_HANDSHAKE_SUCCEEDED) == 0, "monitor");
    Socket monitor(context, ZMQ_PAIR);
    monitor.connect("inproc://peers");
    bind(address);
    for (int frame = 0; frame < 2 * peers; ++frame) {  // an event is two frames
      char buffer[256];
      require(zmq_recv(monitor.socket_, buffer, sizeof buffer, 0) >= 0, "event");
    }
    zmq_socket_monitor(socket_, nullptr, 0);
  }

 private:
  void* socket_;
};

// Every mode has one message type for both ways. `fill` makes the jobs first … first + count - 1, `echo` the
// results of jobs, `add` counts what came.
struct Totals {
  std::uint64_t jobs = 0;
  std::uint64_t bytes = 0;
};

struct Single {
  using Message = Job;
  static constexpr std::uint64_t kJobsPerMessage = 1;
  static void fill(Message& message, std::uint64_t first, std::uint64_t, const std::string& payload) {
    message.set_id(first);
    message.set_payload(payload);
  }
  static void echo(const Message& jobs, Message& results) {
    results.set_id(jobs.id());
    results.set_payload(jobs.payload());
  }
  static void add(const Message& results, Totals& totals) {
    ++totals.jobs;
    totals.bytes += results.payload().size();
  }
};

struct Batched {
  using Message = Batch;
  static constexpr std::uint64_t kJobsPerMessage = kBatch;
  static void fill(Message& message, std::uint64_t first, std::uint64_t count, const std::string& payload) {
    message.Clear();  // keeps the submessages for the next round
    for (std::uint64_t index = 0; index < count; ++index)
      Single::fill(*message.add_jobs(), first + index, 1, payload);
  }
  static void echo(const Message& jobs, Message& results) {
    results.Clear();
    for (const Job& job : jobs.jobs())
      Single::echo(job, *results.add_jobs());
  }
  static void add(const Message& results, Totals& totals) {
    for (const Job& job : results.jobs())
      Single::add(job, totals);
  }
};

struct Columnar {
  using Message = Columns;
  static constexpr std::uint64_t kJobsPerMessage = kBatch;
  static void fill(Message& message, std::uint64_t first, std::uint64_t count, const std::string& payload) {
    message.Clear();
    message.set_first_id(first);
    for (std::uint64_t index = 0; index < count; ++index)
      message.add_payloads(payload);
  }
  static void echo(const Message& jobs, Message& results) {
    results.Clear();
    results.set_first_id(jobs.first_id());
    for (const std::string& payload : jobs.payloads())
      results.add_payloads(payload);
  }
  static void add(const Message& results, Totals& totals) {
    totals.jobs += static_cast<std::uint64_t>(results.payloads_size());
    for (const std::string& payload : results.payloads())
      totals.bytes += payload.size();
  }
};

template <typename Mode>
void ventilate(const std::string& folder, Chain& chain) {
  void* context = zmq_ctx_new();
  Socket lanes(context, ZMQ_PUSH);
  lanes.bind_and_wait_for("ipc://" + folder + "/jobs", kWorkers, context);
  typename Mode::Message message;
  const std::string payload(kPayloadBytes, 'x');
  chain.first_send();
  for (std::uint64_t job = 0; job < chain.jobs(); job += Mode::kJobsPerMessage) {
    Mode::fill(message, job, std::min(Mode::kJobsPerMessage, chain.jobs() - job), payload);
    lanes.send(message);
  }
  pause();  // what is in libzmq's buffers goes out
}

// A job at a time, its payload the moment it was made.
void ventilate_idle(const std::string& folder, Chain& chain) {
  void* context = zmq_ctx_new();
  Socket lanes(context, ZMQ_PUSH);
  lanes.bind_and_wait_for("ipc://" + folder + "/jobs", kWorkers, context);
  Job message;
  std::string payload(kPayloadBytes, 'x');
  for (std::uint64_t job = 0; job < chain.jobs(); ++job) {
    std::this_thread::sleep_for(kIdle);
    const std::int64_t made = now_ns();
    std::memcpy(payload.data(), &made, sizeof made);
    Single::fill(message, job, 1, payload);
    lanes.send(message);
  }
  pause();
}

template <typename Mode>
void work(const std::string& folder) {
  void* context = zmq_ctx_new();
  Socket lane(context, ZMQ_PULL);
  Socket results(context, ZMQ_PUSH);
  results.connect("ipc://" + folder + "/results");
  lane.connect("ipc://" + folder + "/jobs");
  typename Mode::Message jobs;
  typename Mode::Message answers;
  while (true) {
    lane.receive(jobs);
    Mode::echo(jobs, answers);
    results.send(answers);
  }
}

template <typename Mode>
void collect(const std::string& folder, const Chain& chain) {
  void* context = zmq_ctx_new();
  Socket results(context, ZMQ_PULL);
  results.bind("ipc://" + folder + "/results");
  typename Mode::Message message;
  Totals totals;
  while (totals.jobs < chain.jobs()) {
    results.receive(message);
    Mode::add(message, totals);
  }
  chain.print_rate(totals.bytes);
}

void collect_idle(const std::string& folder, const Chain& chain) {
  void* context = zmq_ctx_new();
  Socket results(context, ZMQ_PULL);
  results.bind("ipc://" + folder + "/results");
  std::vector<std::int64_t> took;
  Job message;
  for (std::uint64_t job = 0; job < chain.jobs(); ++job) {
    results.receive(message);
    std::int64_t made = 0;
    std::memcpy(&made, message.payload().data(), sizeof made);
    took.push_back(now_ns() - made);
  }
  std::sort(took.begin(), took.end());
  const auto percentile = [&](std::size_t percent) {
    return static_cast<double>(took[(took.size() - 1) * percent / 100]) / 1e3;
  };
  std::printf("{\"p50\": %.1f, \"p99\": %.1f}\n", percentile(50), percentile(99));
}

template <typename Mode>
void run(const std::string& folder, Chain& chain) {
  chain.run([&] { ventilate<Mode>(folder, chain); }, [&] { work<Mode>(folder); },
            [&] { collect<Mode>(folder, chain); });
}

void run_idle(const std::string& folder, Chain& chain) {
  chain.run([&] { ventilate_idle(folder, chain); }, [&] { work<Single>(folder); },
            [&] { collect_idle(folder, chain); });
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const std::string_view mode = argc == 3 ? argv[1] : "";
  const std::uint64_t jobs = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  char folder[] = "/tmp/bench-raw-chain-XXXXXX";
  if (jobs == 0 || mkdtemp(folder) == nullptr) {
    std::fprintf(stderr, "usage: bench-raw-chain single|batched|columnar|latency JOBS\n");
    return 2;
  }
  bench::Chain chain(jobs);
  if (mode == "single") bench::run<bench::Single>(folder, chain);
  if (mode == "batched") bench::run<bench::Batched>(folder, chain);
  if (mode == "columnar") bench::run<bench::Columnar>(folder, chain);
  if (mode == "latency") bench::run_idle(folder, chain);
  for (const char* name : {"/jobs", "/results"})
    unlink((std::string(folder) + name).c_str());
  rmdir(folder);
  return 0;
}
