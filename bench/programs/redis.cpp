// The chain through Redis, by a minimal client of our own that sends many commands at once.
//   bench-redis list|stream SOCKET JOBS
// list: LPUSH and BLMPOP, 1,000 at a time; what a worker has taken is gone when it dies. stream: XADD,
// XREADGROUP and XACK, 1,000 at a time; a job is acknowledged after its result was added.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/programs/chain.h"
#include "bench/programs/stream.h"

namespace bench {
namespace {

constexpr std::size_t kBatch = 1000;
constexpr std::size_t kBatchesAhead = 8;  // whose answers the ventilator has not read yet

void command(Stream& redis, std::size_t words) {
  redis.write("*" + std::to_string(words) + "\r\n");
}

void bulk(Stream& redis, std::string_view bytes) {
  redis.write("$" + std::to_string(bytes.size()) + "\r\n");
  redis.write(bytes);
  redis.write("\r\n");
}

void send_command(Stream& redis, const std::vector<std::string>& words) {
  command(redis, words.size());
  for (const std::string& each : words)
    bulk(redis, each);
}

std::size_t read_number(Stream& redis, char type) {
  const std::string_view line = redis.line();
  if (line.empty() || line[0] != type) fail(std::string(line).c_str());
  return number_of(line.substr(1));
}

void read_bulk(Stream& redis, std::string& bytes) {
  bytes.assign(redis.bytes(read_number(redis, '$') + 2));
  bytes.resize(bytes.size() - 2);
}

void skip_bulk(Stream& redis) {
  redis.bytes(read_number(redis, '$') + 2);
}

// Jobs in hand; the strings keep their memory.
struct Taken {
  std::vector<std::string> ids;
  std::vector<std::string> payloads;
  std::size_t count = 0;

  void resize(std::size_t size) {
    count = size;
    if (payloads.size() < size) payloads.resize(size);
    if (ids.size() < size) ids.resize(size);
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (std::size_t index = 0; index < count; ++index)
      sum += payloads[index].size();
    return sum;
  }
};

struct List {
  static void prepare(Stream&) {}

  // Returns how many answers it will be.
  static std::size_t put(Stream& redis, const char* queue, const Taken& jobs) {
    command(redis, 2 + jobs.count);
    bulk(redis, "LPUSH");
    bulk(redis, queue);
    for (std::size_t index = 0; index < jobs.count; ++index)
      bulk(redis, jobs.payloads[index]);
    return 1;
  }
  static void read_put(Stream& redis) { read_number(redis, ':'); }

  static void take(Stream& redis, const char* queue, const char*, Taken& taken) {
    send_command(redis, {"BLMPOP", "0", "1", queue, "RIGHT", "COUNT", std::to_string(kBatch)});
    read_number(redis, '*');
    skip_bulk(redis);
    taken.resize(read_number(redis, '*'));
    for (std::size_t index = 0; index < taken.count; ++index)
      read_bulk(redis, taken.payloads[index]);
  }

  static std::size_t acknowledge(Stream&, const char*, const Taken&) { return 0; }
};

struct Streams {
  static void prepare(Stream& redis) {
    for (const char* queue : {"jobs", "results"})
      send_command(redis, {"XGROUP", "CREATE", queue, "group", "0", "MKSTREAM"});
    for (int queue = 0; queue < 2; ++queue)
      redis.line();
  }

  static std::size_t put(Stream& redis, const char* queue, const Taken& jobs) {
    for (std::size_t index = 0; index < jobs.count; ++index) {
      command(redis, 5);
      bulk(redis, "XADD");
      bulk(redis, queue);
      bulk(redis, "*");
      bulk(redis, "p");
      bulk(redis, jobs.payloads[index]);
    }
    return jobs.count;
  }
  static void read_put(Stream& redis) { skip_bulk(redis); }

  static void take(Stream& redis, const char* queue, const char* consumer, Taken& taken) {
    send_command(redis, {"XREADGROUP", "GROUP", "group", consumer, "COUNT", std::to_string(kBatch), "BLOCK",
                         "0", "STREAMS", queue, ">"});
    read_number(redis, '*');
    read_number(redis, '*');
    skip_bulk(redis);
    taken.resize(read_number(redis, '*'));
    for (std::size_t index = 0; index < taken.count; ++index) {
      read_number(redis, '*');
      read_bulk(redis, taken.ids[index]);
      read_number(redis, '*');
      skip_bulk(redis);
      read_bulk(redis, taken.payloads[index]);
    }
  }

  static std::size_t acknowledge(Stream& redis, const char* queue, const Taken& taken) {
    command(redis, 3 + taken.count);
    bulk(redis, "XACK");
    bulk(redis, queue);
    bulk(redis, "group");
    for (std::size_t index = 0; index < taken.count; ++index)
      bulk(redis, taken.ids[index]);
    return 1;
  }
};

template <typename Queue>
void ventilate(const std::string& address, Chain& chain) {
  Stream redis(address);
  Taken jobs;
  std::size_t unread = 0;
  chain.wait_until_ready(kWorkers + 1);
  chain.first_send();
  for (std::uint64_t job = 0; job < chain.jobs(); job += jobs.count) {
    jobs.resize(std::min<std::uint64_t>(kBatch, chain.jobs() - job));
    for (std::string& payload : jobs.payloads)
      payload.assign(kPayloadBytes, 'x');
    const std::size_t answers = Queue::put(redis, "jobs", jobs);
    for (unread += answers; unread > kBatchesAhead * answers; --unread)
      Queue::read_put(redis);
  }
  while (true)
    Queue::read_put(redis);
}

template <typename Queue>
void work(const std::string& address, Chain& chain) {
  Stream redis(address);
  const std::string consumer = "worker-" + std::to_string(getpid());
  Taken taken;
  chain.is_ready();
  while (true) {
    Queue::take(redis, "jobs", consumer.c_str(), taken);
    const std::size_t answers = Queue::put(redis, "results", taken);
    const std::size_t acknowledged = Queue::acknowledge(redis, "jobs", taken);
    for (std::size_t answer = 0; answer < answers; ++answer)
      Queue::read_put(redis);
    if (acknowledged > 0) read_number(redis, ':');
  }
}

template <typename Queue>
void collect(const std::string& address, Chain& chain) {
  Stream redis(address);
  Taken taken;
  chain.is_ready();
  std::uint64_t bytes = 0;
  for (std::uint64_t jobs = 0; jobs < chain.jobs(); jobs += taken.count) {
    Queue::take(redis, "results", "sink", taken);
    bytes += taken.bytes();
    if (Queue::acknowledge(redis, "results", taken) > 0) {
      read_number(redis, ':');
    }
  }
  chain.print_rate(bytes);
}

template <typename Queue>
void run(const std::string& address, std::uint64_t jobs) {
  Chain chain(jobs);
  {
    Stream redis(address);
    Queue::prepare(redis);
  }
  chain.run([&] { ventilate<Queue>(address, chain); }, [&] { work<Queue>(address, chain); },
            [&] { collect<Queue>(address, chain); });
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const std::string_view mode = argc == 4 ? argv[1] : "";
  if (mode != "list" && mode != "stream") {
    std::fprintf(stderr, "usage: bench-redis list|stream SOCKET JOBS\n");
    return 2;
  }
  const std::uint64_t jobs = std::strtoull(argv[3], nullptr, 10);
  if (mode == "list") bench::run<bench::List>(argv[2], jobs);
  if (mode == "stream") bench::run<bench::Streams>(argv[2], jobs);
  return 0;
}
