#include "worker/files/mapped_window.h"

#include <sys/mman.h>

#include <cassert>
#include <cerrno>
#include <csignal>
#include <utility>

namespace fantail {
namespace {

// What the handler of SIGBUS may touch: it runs on the thread that read what is not there.
struct Guard {
  void* begin = nullptr;
  std::size_t size = 0;
  volatile std::sig_atomic_t lost = 0;
};
thread_local Guard guard;

void on_bus_error(int signal, siginfo_t* info, void*) {
  const int saved_error = errno;
  const auto* begin = static_cast<const std::byte*>(guard.begin);
  const auto* address = static_cast<const std::byte*>(info->si_addr);
  const bool ours =
      info->si_code == BUS_ADRERR && begin != nullptr && address >= begin && address < begin + guard.size;
  if (ours && ::mmap(guard.begin, guard.size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
                  MAP_FAILED) {
    guard.lost = 1;
  } else {
    // Not a window's: the process dies of it, as it would have without this handler.
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  errno = saved_error;
}

bool handle_bus_errors() {
  struct sigaction action = {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  return ::sigaction(SIGBUS, &action, nullptr) == 0;
}

}  // namespace

std::optional<MappedWindow> MappedWindow::map(int descriptor, std::uint64_t offset, std::size_t size) {
  static const bool handled = handle_bus_errors();
  assert(guard.begin == nullptr);
  if (!handled) return std::nullopt;
  // One call that finds all pages is much cheaper than a fault for each.
  void* address =
      ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, static_cast<off_t>(offset));
  if (address == MAP_FAILED) return std::nullopt;
  guard.lost = 0;
  guard.size = size;
  guard.begin = address;
  return MappedWindow({static_cast<const std::byte*>(address), size});
}

MappedWindow::MappedWindow(MappedWindow&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedWindow::~MappedWindow() {
  if (bytes_.empty()) return;
  ::munmap(guard.begin, guard.size);
  guard.begin = nullptr;
}

bool MappedWindow::intact() const {
  return guard.lost == 0;
}

}  // namespace fantail
