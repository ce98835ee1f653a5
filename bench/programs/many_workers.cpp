// Many workers in one process, each with sockets and a session of its own, that answer every job at once:
// what a ventilator and a sink with so many peers can do. Speaks what docs/PROTOCOL.md says; ends when told
// to.
//   bench-many-workers WORKERS IPC_ENDPOINT_OF_THE_VENTILATOR
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/programs/chain.h"
#include "messages.pb.h"

namespace bench {
namespace {

namespace proto = fantail::proto;

constexpr int kSocketsMax = 20'000;
constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::int64_t kHeartbeatNs = 1'000'000'000;

class Socket {
 public:
  Socket(void* context, int type, const std::string& address) : socket_(zmq_socket(context, type)) {
    require(socket_ != nullptr, "no more sockets");
    const int zero = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &zero, sizeof zero);
    if (type == ZMQ_PUSH) zmq_setsockopt(socket_, ZMQ_SNDHWM, &zero, sizeof zero);
    require(zmq_connect(socket_, address.c_str()) == 0, address.c_str());
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { zmq_close(socket_); }

  int descriptor() const {
    int descriptor = -1;
    std::size_t size = sizeof descriptor;
    require(zmq_getsockopt(socket_, ZMQ_FD, &descriptor, &size) == 0, "descriptor");
    return descriptor;
  }

  template <typename Message>
  void send(const Message& message) {
    const std::string bytes = message.SerializeAsString();
    zmq_send(socket_, bytes.data(), bytes.size(), ZMQ_DONTWAIT);
  }

  template <typename Message>
  bool receive(Message& message) {
    int events = 0;
    std::size_t size = sizeof events;
    zmq_getsockopt(socket_, ZMQ_EVENTS, &events, &size);
    if ((events & ZMQ_POLLIN) == 0) return false;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    const bool came = zmq_msg_recv(&frame, socket_, ZMQ_DONTWAIT) >= 0;
    if (came)
      require(message.ParseFromArray(zmq_msg_data(&frame), static_cast<int>(zmq_msg_size(&frame))), "parse");
    zmq_msg_close(&frame);
    return came;
  }

 private:
  void* socket_;
};

std::string new_worker_id(int index) {
  std::string id(16, '\0');
  const std::int64_t time = now_ns();
  for (std::size_t byte = 0; byte < 8; ++byte)
    id[byte] = static_cast<char>(time >> (56 - 8 * byte));
  id[12] = static_cast<char>(index >> 24);
  id[13] = static_cast<char>(index >> 16);
  id[14] = static_cast<char>(index >> 8);
  id[15] = static_cast<char>(index);
  return id;
}

class Worker {
 public:
  Worker(void* context, int epoll, int index, const std::string& ventilator)
      : context_(context),
        epoll_(epoll),
        id_(new_worker_id(index)),
        name_("simulated-" + std::to_string(index)),
        ventilator_(ventilator),
        control_(std::make_unique<Socket>(context, ZMQ_DEALER, ventilator)) {
    watch(*control_);
  }

  bool finished() const { return finished_; }

  // At every heartbeat: hello until welcomed, then a whole status.
  void on_heartbeat() {
    if (epoch_ == 0) {
      say_hello();
    } else {
      send_status(true);
      if (results_ == nullptr) say_hello_to_sink();
    }
    on_readable();
  }

  // Sending may take the edge that epoll would have told: so all sockets are read until none has anything.
  void on_readable() {
    for (bool came = true; came && !finished_;) {
      came = false;
      for (; control_->receive(from_ventilator_); came = true)
        on_ventilator();
      for (; sink_ != nullptr && sink_->receive(from_sink_); came = true)
        on_sink();
      for (; lane_ != nullptr && lane_->receive(jobs_); came = true)
        on_jobs();
    }
  }

 private:
  void watch(const Socket& socket) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = this;
    require(epoll_ctl(epoll_, EPOLL_CTL_ADD, socket.descriptor(), &event) == 0, "epoll");
  }

  proto::WorkerToVentilator to_ventilator() {
    proto::WorkerToVentilator message;
    message.set_worker_id(id_);
    message.set_epoch(epoch_);
    message.set_number(++number_);
    return message;
  }

  void say_hello() {
    proto::WorkerToVentilator message = to_ventilator();
    proto::WorkerHello& hello = *message.mutable_hello();
    hello.set_protocol_version(kProtocolVersion);
    hello.set_name(name_);
    hello.set_slots(1);
    hello.set_async_slots(1);
    hello.add_kinds("echo");
    hello.set_transport("ipc");
    hello.set_run_id(run_id_);
    add_holding(*hello.mutable_holding());
    control_->send(message);
  }

  void send_status(bool complete) {
    proto::WorkerToVentilator message = to_ventilator();
    proto::WorkerStatus& status = *message.mutable_status();
    status.set_run_id(run_id_);
    status.set_received_sequence(received_);
    status.set_mean_job_ns(1000);
    status.set_complete(complete);
    if (complete) add_holding(*status.mutable_holding());
    control_->send(message);
  }

  template <typename Ranges>
  void add_holding(Ranges& holding) const {
    for (const auto& [sequence, ranges] : retained_)
      holding.Add(ranges.begin(), ranges.end());
  }

  void say_hello_to_sink() {
    proto::ToSink message;
    message.mutable_worker()->set_worker_id(id_);
    message.mutable_worker()->mutable_hello()->set_protocol_version(kProtocolVersion);
    message.mutable_worker()->mutable_hello()->set_name(name_);
    sink_->send(message);
  }

  void on_ventilator() {
    if (from_ventilator_.has_welcome()) on_welcome(from_ventilator_.welcome());
    if (from_ventilator_.has_unknown()) forget_lane();
    if (from_ventilator_.has_wait()) fail(from_ventilator_.wait().reason().c_str());
    if (from_ventilator_.has_stop()) finished_ = true;
  }

  // A machine that is too busy for heartbeats: hello again, on a new lane.
  void forget_lane() {
    if (epoch_ == 0) return;
    epoch_ = 0;
    received_ = 0;
    lane_.reset();
    say_hello();
  }

  void on_welcome(const proto::WorkerWelcome& welcome) {
    if (epoch_ != 0) return;
    epoch_ = from_ventilator_.epoch();
    if (sink_ == nullptr) {
      sink_address_ = welcome.sink_endpoint();
      sink_ = std::make_unique<Socket>(context_, ZMQ_DEALER, sink_address_);
      watch(*sink_);
      say_hello_to_sink();
    }
    lane_ =
        std::make_unique<Socket>(context_, ZMQ_PULL, ventilator_ + "." + std::to_string(welcome.lane_port()));
    watch(*lane_);
    send_status(true);
  }

  void on_sink() {
    if (from_sink_.has_welcome() && results_ == nullptr) {
      results_ = std::make_unique<Socket>(
          context_, ZMQ_PUSH, sink_address_ + "." + std::to_string(from_sink_.welcome().data_port()));
      for (const proto::Results& results : waiting_)
        results_->send(results);
      waiting_.clear();
    }
    for (const std::uint64_t sequence : from_sink_.durable().sequences())
      retained_.erase(sequence);
  }

  void on_jobs() {
    require(jobs_.sequence() == received_ + 1, "the lane lost something");
    received_ = jobs_.sequence();
    if (jobs_.has_spec()) run_id_ = jobs_.spec().run_id();
    if (jobs_.count() == 0) return;
    answer_.Clear();
    answer_.set_run_id(run_id_);
    answer_.set_worker_id(id_);
    answer_.set_sequence(++answered_);
    answer_.set_count(jobs_.count());
    answer_.set_first_job(jobs_.first_job());
    *answer_.mutable_jobs() = jobs_.jobs();
    answer_.mutable_inputs()->Swap(jobs_.mutable_inputs());
    *answer_.mutable_attempts() = jobs_.attempts();
    for (std::uint32_t job = 0; job < answer_.count(); ++job) {
      answer_.add_queued_us(0);
      answer_.add_duration_us(1);
    }
    retain();
    if (results_ != nullptr) {
      results_->send(answer_);
    } else {
      waiting_.push_back(answer_);
    }
    send_status(false);
  }

  void retain() {
    std::vector<proto::JobRange>& ranges = retained_[answered_];
    if (answer_.jobs_size() == 0) {
      add_range(ranges, answer_.first_job(), answer_.count());
    } else {
      for (const std::uint64_t job : answer_.jobs())
        add_range(ranges, job, 1);
    }
  }

  static void add_range(std::vector<proto::JobRange>& ranges, std::uint64_t first, std::uint64_t count) {
    proto::JobRange& range = ranges.emplace_back();
    range.set_first(first);
    range.set_count(count);
  }

  void* context_;
  int epoll_;
  std::string id_;
  std::string name_;
  std::string ventilator_;
  std::string sink_address_;
  std::unique_ptr<Socket> control_;
  std::unique_ptr<Socket> lane_;
  std::unique_ptr<Socket> sink_;
  std::unique_ptr<Socket> results_;
  std::uint64_t epoch_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t answered_ = 0;
  std::string run_id_;
  std::map<std::uint64_t, std::vector<proto::JobRange>> retained_;  // by sequence, until durable
  std::vector<proto::Results> waiting_;                             // for the sink's welcome
  bool finished_ = false;
  proto::VentilatorToWorker from_ventilator_;  // reused, and so are these
  proto::SinkToWorker from_sink_;
  proto::Lane jobs_;
  proto::Results answer_;
};

void run(int count, const std::string& ventilator) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  void* context = zmq_ctx_new();
  zmq_ctx_set(context, ZMQ_MAX_SOCKETS, kSocketsMax);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Worker>> workers;  // all of them to the end: epoll may still name one
  std::deque<std::pair<std::int64_t, Worker*>> heartbeats;
  for (int index = 0; index < count; ++index) {
    workers.push_back(std::make_unique<Worker>(context, epoll, index, ventilator));
    heartbeats.emplace_back(now_ns(), workers.back().get());
  }
  std::vector<epoll_event> events(256);
  while (!heartbeats.empty()) {
    while (!heartbeats.empty() && heartbeats.front().first <= now_ns()) {
      Worker* worker = heartbeats.front().second;
      heartbeats.pop_front();
      worker->on_heartbeat();
      if (!worker->finished()) heartbeats.emplace_back(now_ns() + kHeartbeatNs, worker);
    }
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 1);
    for (int index = 0; index < ready; ++index)
      static_cast<Worker*>(events[static_cast<std::size_t>(index)].data.ptr)->on_readable();
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const int count = argc == 3 ? std::atoi(argv[1]) : 0;
  if (count < 1) {
    std::fprintf(stderr, "usage: bench-many-workers WORKERS IPC_ENDPOINT_OF_THE_VENTILATOR\n");
    return 2;
  }
  bench::run(count, argv[2]);
  std::_Exit(0);
}
