// The chain through beanstalkd, by a minimal client of our own that sends many commands at once.
//   bench-beanstalk PORT JOBS
// A job is deleted after its result was put.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bench/programs/chain.h"
#include "bench/programs/stream.h"

namespace bench {
namespace {

constexpr std::uint64_t kPutsAhead = 100;  // whose answers were not read yet
constexpr std::uint64_t kReserves = 16;    // jobs that a worker takes at once

void use(Stream& server, const std::string& put_into, const std::string& take_from) {
  if (!put_into.empty()) server.write("use " + put_into + "\r\n");
  if (!take_from.empty()) server.write("watch " + take_from + "\r\nignore default\r\n");
  for (std::size_t answers = (put_into.empty() ? 0U : 1U) + (take_from.empty() ? 0U : 2U); answers > 0;
       --answers)
    server.line();
}

void put(Stream& server, std::string_view payload) {
  server.write("put 1 0 120 " + std::to_string(payload.size()) + "\r\n");
  server.write(payload);
  server.write("\r\n");
}

// Takes answers up to one to a reserve; false: there was no job.
bool read_job(Stream& server, std::string& id, std::string& payload) {
  while (true) {
    std::string_view line = server.line();
    const std::string_view what = word(line);
    if (what == "INSERTED" || what == "DELETED") continue;
    if (what == "TIMED_OUT") return false;
    if (what != "RESERVED") fail(std::string(what).c_str());
    id.assign(word(line));
    const std::size_t size = number_of(word(line));
    payload.assign(server.bytes(size + 2).substr(0, size));
    return true;
  }
}

void ventilate(const std::string& address, Chain& chain) {
  Stream server(address);
  use(server, "jobs", "");
  const std::string payload(kPayloadBytes, 'x');
  chain.wait_until_ready(kWorkers + 1);
  chain.first_send();
  std::uint64_t unread = 0;
  for (std::uint64_t job = 0; job < chain.jobs(); ++job) {
    put(server, payload);
    if (++unread < kPutsAhead) continue;
    for (; unread > 0; --unread)
      require(server.line().starts_with("INSERTED"), "put");
  }
  while (true)
    server.line();
}

// Waits for a job, takes more that are there, answers them (or only counts, at the sink), deletes them. A
// reserve that waits holds up whatever the connection has sent behind it, so that only the first may wait.
template <typename Answer>
void serve(Stream& server, std::uint64_t jobs, const Answer& answer) {
  std::string id;
  std::string payload;
  for (std::uint64_t done = 0; done < jobs;) {
    server.write("reserve\r\n");
    for (std::uint64_t more = 1; more < kReserves; ++more)
      server.write("reserve-with-timeout 0\r\n");
    server.flush();
    for (std::uint64_t reserve = 0; reserve < kReserves; ++reserve) {
      if (!read_job(server, id, payload)) continue;
      answer(payload);
      server.write("delete " + id + "\r\n");
      ++done;
    }
  }
}

void work(const std::string& address, Chain& chain) {
  Stream server(address);
  use(server, "results", "jobs");
  chain.is_ready();
  serve(server, UINT64_MAX, [&](const std::string& payload) { put(server, payload); });
}

void collect(const std::string& address, Chain& chain) {
  Stream server(address);
  use(server, "", "results");
  chain.is_ready();
  std::uint64_t bytes = 0;
  serve(server, chain.jobs(), [&](const std::string& payload) { bytes += payload.size(); });
  chain.print_rate(bytes);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench-beanstalk PORT JOBS\n");
    return 2;
  }
  const std::string address = argv[1];
  bench::Chain chain(std::strtoull(argv[2], nullptr, 10));
  chain.run([&] { bench::ventilate(address, chain); }, [&] { bench::work(address, chain); },
            [&] { bench::collect(address, chain); });
  return 0;
}
