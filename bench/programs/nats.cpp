// The chain through nats-server, by a minimal client of our own that sends many messages at once.
//   bench-nats core|jetstream PORT JOBS
// core: a queue group, at most once; no more than 100,000 jobs are on their way, since the server drops what
// a slow reader leaves. jetstream: streams in memory with work queue retention; publishing is acknowledged
// (1,000 on their way), jobs are pulled 256 at a time and acknowledged once their result is.
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>

#include "bench/programs/chain.h"
#include "bench/programs/stream.h"

namespace bench {
namespace {

constexpr std::uint64_t kOnTheirWay = 100'000;
constexpr std::uint64_t kPublishAhead = 1000;
constexpr std::uint64_t kPull = 256;

class Nats {
 public:
  struct Message {
    std::string subject;
    std::string reply;
    std::string payload;
    int subscription = 0;
  };

  explicit Nats(const std::string& address) : stream_(address), inbox_("inbox." + std::to_string(getpid())) {
    stream_.line();  // INFO
    stream_.write("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
  }

  const std::string& inbox() const { return inbox_; }
  void flush() { stream_.flush(); }

  void subscribe(const std::string& subject, const std::string& group, int subscription) {
    stream_.write("SUB " + subject + " " + group + " " + std::to_string(subscription) + "\r\n");
  }

  void publish(std::string_view subject, std::string_view reply, std::string_view payload) {
    stream_.write("PUB ");
    stream_.write(subject);
    stream_.write(" ");
    stream_.write(reply);
    stream_.write(" " + std::to_string(payload.size()) + "\r\n");
    stream_.write(payload);
    stream_.write("\r\n");
  }

  // Returns once the server has taken in what was sent.
  void settle() {
    stream_.write("PING\r\n");
    while (stream_.line() != "PONG") {
    }
  }

  void read(Message& message) {
    while (true) {
      std::string_view line = stream_.line();
      const std::string_view what = word(line);
      if (what == "PING") {
        stream_.write("PONG\r\n");
        continue;
      }
      if (what != "MSG") fail(std::string(what).append(" ").append(line).c_str());
      message.subject.assign(word(line));
      message.subscription = static_cast<int>(number_of(word(line)));
      const std::string_view third = word(line);
      message.reply.assign(line.empty() ? std::string_view() : third);
      const std::size_t size = number_of(line.empty() ? third : line);
      message.payload.assign(stream_.bytes(size + 2).substr(0, size));
      return;
    }
  }

  // A request to JetStream.
  void request(const std::string& subject, const std::string& payload) {
    subscribe(inbox_ + ".api", "", 9);
    publish(subject, inbox_ + ".api", payload);
    Message answer;
    read(answer);
    if (answer.payload.find("\"error\"") != std::string::npos) fail(answer.payload.c_str());
  }

 private:
  Stream stream_;
  std::string inbox_;
};

void ventilate_core(const std::string& address, Chain& chain) {
  Nats nats(address);
  const std::string payload(kPayloadBytes, 'x');
  chain.wait_until_ready(kWorkers + 1);
  chain.first_send();
  for (std::uint64_t job = 1; job <= chain.jobs(); ++job) {
    nats.publish("jobs", "", payload);
    if (job % 256 != 0 && job != chain.jobs()) continue;
    nats.flush();
    chain.hold(job, kOnTheirWay);
  }
  pause();
}

void work_core(const std::string& address, Chain& chain) {
  Nats nats(address);
  nats.subscribe("jobs", "workers", 1);
  nats.settle();
  chain.is_ready();
  Nats::Message message;
  while (true) {
    nats.read(message);
    nats.publish("results", "", message.payload);
  }
}

void collect_core(const std::string& address, Chain& chain) {
  Nats nats(address);
  nats.subscribe("results", "", 1);
  nats.settle();
  chain.is_ready();
  Nats::Message message;
  std::uint64_t bytes = 0;
  for (std::uint64_t jobs = 1; jobs <= chain.jobs(); ++jobs) {
    nats.read(message);
    bytes += message.payload.size();
    chain.received(jobs);
  }
  chain.print_rate(bytes);
}

// Asks for jobs ahead of those in hand.
class Puller {
 public:
  Puller(Nats& nats, std::string queue) : nats_(nats), queue_(std::move(queue)) {
    nats_.subscribe(nats_.inbox() + ".jobs", "", kJobs);
    nats_.subscribe(nats_.inbox() + ".acks", "", kAcks);
    pull();
    pull();
    nats_.flush();
  }

  static constexpr int kJobs = 1;
  static constexpr int kAcks = 2;

  void took() {
    if (++taken_ % kPull == 0) pull();
  }

 private:
  void pull() {
    nats_.publish("$JS.API.CONSUMER.MSG.NEXT." + queue_ + ".takers", nats_.inbox() + ".jobs",
                  "{\"batch\":" + std::to_string(kPull) + "}");
  }

  Nats& nats_;
  std::string queue_;
  std::uint64_t taken_ = 0;
};

void make_streams(const std::string& address) {
  for (const std::string queue : {"jobs", "results"}) {
    Nats nats(address);
    nats.request("$JS.API.STREAM.CREATE." + queue, R"({"name":")" + queue + R"(","subjects":[")" + queue +
                                                       R"("],"retention":"workqueue","storage":"memory"})");
    nats.request(
        "$JS.API.CONSUMER.DURABLE.CREATE." + queue + ".takers",
        R"({"stream_name":")" + queue +
            R"(","config":{"durable_name":"takers","ack_policy":"explicit","deliver_policy":"all",)" +
            R"("max_ack_pending":20000,"max_waiting":512}})");
  }
}

void ventilate_stream(const std::string& address, Chain& chain) {
  Nats nats(address);
  nats.subscribe(nats.inbox() + ".acks", "", Puller::kAcks);
  const std::string payload(kPayloadBytes, 'x');
  chain.wait_until_ready(kWorkers + 1);
  chain.first_send();
  Nats::Message message;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t job = 1; job <= chain.jobs(); ++job) {
    nats.publish("jobs", nats.inbox() + ".acks", payload);
    if (job % 100 != 0 && job != chain.jobs()) continue;
    nats.flush();
    for (; job > acknowledged + kPublishAhead; ++acknowledged)
      nats.read(message);
  }
  while (true)
    nats.read(message);
}

void work_stream(const std::string& address, Chain& chain) {
  Nats nats(address);
  Puller puller(nats, "jobs");
  chain.is_ready();
  Nats::Message message;
  std::deque<std::string> unacknowledged;  // jobs whose result was sent: answers come in their order
  while (true) {
    nats.read(message);
    if (message.subscription == Puller::kJobs) {
      puller.took();
      nats.publish("results", nats.inbox() + ".acks", message.payload);
      unacknowledged.push_back(message.reply);
    } else {
      nats.publish(unacknowledged.front(), "", "+ACK");
      unacknowledged.pop_front();
    }
  }
}

void collect_stream(const std::string& address, Chain& chain) {
  Nats nats(address);
  Puller puller(nats, "results");
  chain.is_ready();
  Nats::Message message;
  std::uint64_t bytes = 0;
  for (std::uint64_t jobs = 0; jobs < chain.jobs(); ++jobs) {
    nats.read(message);
    puller.took();
    nats.publish(message.reply, "", "+ACK");
    bytes += message.payload.size();
  }
  chain.print_rate(bytes);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const std::string_view mode = argc == 4 ? argv[1] : "";
  if (mode != "core" && mode != "jetstream") {
    std::fprintf(stderr, "usage: bench-nats core|jetstream PORT JOBS\n");
    return 2;
  }
  const std::string address = argv[2];
  bench::Chain chain(std::strtoull(argv[3], nullptr, 10));
  if (mode == "core") {
    chain.run([&] { bench::ventilate_core(address, chain); }, [&] { bench::work_core(address, chain); },
              [&] { bench::collect_core(address, chain); });
  } else {
    bench::make_streams(address);
    chain.run([&] { bench::ventilate_stream(address, chain); }, [&] { bench::work_stream(address, chain); },
              [&] { bench::collect_stream(address, chain); });
  }
  return 0;
}
