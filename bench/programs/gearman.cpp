// The chain through gearmand, by a minimal client of our own that sends many packets at once.
//   bench-gearman PORT JOBS
// Foreground jobs, 1,000 in flight: the server gives the result to whoever submitted the job, so that the
// ventilator is the sink as well. A job whose worker dies runs again.
#include <arpa/inet.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "bench/programs/chain.h"
#include "bench/programs/stream.h"

namespace bench {
namespace {

constexpr std::uint64_t kInFlight = 1000;
constexpr int kGrabsAhead = 16;

enum Packet : std::uint32_t {
  kCanDo = 1,
  kPreSleep = 4,
  kNoop = 6,
  kSubmitJob = 7,
  kJobCreated = 8,
  kGrabJob = 9,
  kNoJob = 10,
  kJobAssign = 11,
  kWorkComplete = 13,
};

void write_packet(Stream& server, Packet type, std::string_view data) {
  char header[12] = {'\0', 'R', 'E', 'Q'};
  const std::uint32_t words[2] = {htonl(type), htonl(static_cast<std::uint32_t>(data.size()))};
  std::memcpy(header + 4, words, sizeof words);
  server.write({header, sizeof header});
  server.write(data);
}

// The packet's data is valid until the next call.
std::uint32_t read_packet(Stream& server, std::string_view& data) {
  std::uint32_t words[2];
  std::memcpy(words, server.bytes(12).data() + 4, sizeof words);
  data = server.bytes(ntohl(words[1]));
  return ntohl(words[0]);
}

// What stands before the next NUL; the data loses it.
std::string_view field(std::string_view& data) {
  const std::string_view found = data.substr(0, data.find('\0'));
  data.remove_prefix(std::min(found.size() + 1, data.size()));
  return found;
}

void ventilate_and_collect(const std::string& address, Chain& chain) {
  Stream server(address);
  std::string job("echo");
  job += '\0';
  job += '\0';
  job.append(kPayloadBytes, 'x');
  chain.wait_until_ready(kWorkers);
  chain.first_send();
  std::uint64_t sent = 0;
  std::uint64_t bytes = 0;
  for (std::uint64_t done = 0; done < chain.jobs();) {
    while (sent < chain.jobs() && sent - done < kInFlight) {
      write_packet(server, kSubmitJob, job);
      ++sent;
    }
    do {
      std::string_view data;
      const std::uint32_t type = read_packet(server, data);
      if (type == kJobCreated) continue;
      require(type == kWorkComplete, "gearmand says something else than that a job is complete");
      field(data);
      bytes += data.size();
      ++done;
    } while (server.has_input() && done < chain.jobs());
  }
  chain.print_rate(bytes);
}

void work(const std::string& address, Chain& chain) {
  Stream server(address);
  write_packet(server, kCanDo, "echo");
  chain.is_ready();
  int grabs = 0;
  std::string answer;
  while (true) {
    for (; grabs < kGrabsAhead; ++grabs)
      write_packet(server, kGrabJob, {});
    bool empty = false;
    do {
      std::string_view data;
      const std::uint32_t type = read_packet(server, data);
      if (type == kNoop) continue;
      --grabs;
      empty = type == kNoJob;
      if (empty) continue;
      require(type == kJobAssign, "gearmand says something else than a job");
      answer.assign(field(data));
      field(data);  // the function
      answer += '\0';
      answer += data;
      write_packet(server, kWorkComplete, answer);
    } while (grabs > 0 && (empty || server.has_input()));
    if (!empty) continue;
    write_packet(server, kPreSleep, {});
    std::string_view data;
    require(read_packet(server, data) == kNoop, "gearmand says something else than to wake up");
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench-gearman PORT JOBS\n");
    return 2;
  }
  const std::string address = argv[1];
  bench::Chain chain(std::strtoull(argv[2], nullptr, 10));
  chain.run_without_sink([&] { bench::ventilate_and_collect(address, chain); },
                         [&] { bench::work(address, chain); });
  return 0;
}
