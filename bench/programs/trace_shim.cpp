// Loaded into unchanged ventilators and sinks by LD_PRELOAD: notes when a message went into a PUSH socket,
// when one came out of a PULL socket, when storage was synced, and when something was read from standard
// input. Each process has a file in FANTAIL_TRACE_DIR, PROGRAM.PID, of records as struct Record;
// bench/traces.py reads them.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zmq.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

namespace {

enum Event : std::uint32_t { kSent = 1, kReceived = 2, kSynced = 3, kRead = 4 };

struct Record {
  std::int64_t time_ns;
  Event event;
  std::uint32_t bytes;
};

constexpr std::size_t kRecordsMax = std::size_t{1}
                                    << 22;  // the file is sparse: what is not written takes no memory

std::int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Record* open_records() {
  const char* folder = std::getenv("FANTAIL_TRACE_DIR");
  if (folder == nullptr) return nullptr;
  const std::string path =
      std::string(folder) + "/" + program_invocation_short_name + "." + std::to_string(getpid());
  const int file = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (file < 0 || ftruncate(file, sizeof(Record) * kRecordsMax) != 0) return nullptr;
  void* memory = mmap(nullptr, sizeof(Record) * kRecordsMax, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<Record*>(memory);
}

void note(std::int64_t time_ns, Event event, std::size_t bytes) {
  static Record* const records = open_records();
  static std::atomic<std::size_t> next = 0;
  if (records == nullptr) return;
  const std::size_t index = next.fetch_add(1, std::memory_order_relaxed);
  if (index < kRecordsMax) records[index] = {time_ns, event, static_cast<std::uint32_t>(bytes)};
}

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool has_type(void* socket, int wanted) {
  static const auto ask = real<int (*)(void*, int, void*, size_t*)>("zmq_getsockopt");
  const int before = errno;
  int type = -1;
  size_t size = sizeof type;
  const bool has = ask(socket, ZMQ_TYPE, &type, &size) == 0 && type == wanted;
  errno = before;
  return has;
}

}  // namespace

extern "C" {

int zmq_send(void* socket, const void* bytes, size_t size, int flags) {
  static const auto send = real<int (*)(void*, const void*, size_t, int)>("zmq_send");
  const std::int64_t begun = now_ns();
  const int sent = send(socket, bytes, size, flags);
  if (sent >= 0 && has_type(socket, ZMQ_PUSH)) note(begun, kSent, size);
  return sent;
}

int zmq_msg_send(zmq_msg_t* message, void* socket, int flags) {
  static const auto send = real<int (*)(zmq_msg_t*, void*, int)>("zmq_msg_send");
  const std::int64_t begun = now_ns();
  const size_t size = zmq_msg_size(message);
  const int sent = send(message, socket, flags);
  if (sent >= 0 && has_type(socket, ZMQ_PUSH)) note(begun, kSent, size);
  return sent;
}

int zmq_msg_recv(zmq_msg_t* message, void* socket, int flags) {
  static const auto receive = real<int (*)(zmq_msg_t*, void*, int)>("zmq_msg_recv");
  const int received = receive(message, socket, flags);
  if (received >= 0 && has_type(socket, ZMQ_PULL)) note(now_ns(), kReceived, zmq_msg_size(message));
  return received;
}

int fdatasync(int file) {
  static const auto sync = real<int (*)(int)>("fdatasync");
  const int result = sync(file);
  if (result == 0) note(now_ns(), kSynced, 0);
  return result;
}

int fsync(int file) {
  static const auto sync = real<int (*)(int)>("fsync");
  const int result = sync(file);
  if (result == 0) note(now_ns(), kSynced, 0);
  return result;
}

ssize_t read(int file, void* bytes, size_t size) {
  static const auto take = real<ssize_t (*)(int, void*, size_t)>("read");
  const ssize_t took = take(file, bytes, size);
  if (took > 0 && file == STDIN_FILENO) note(now_ns(), kRead, static_cast<std::size_t>(took));
  return took;
}
}
