#include "sink/writers/write_all.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace fantail {

int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (count == 0) return EIO;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return errno;
    // Standard output may be somebody's non-blocking pipe or terminal.
    pollfd writable = {descriptor, POLLOUT, 0};
    if (poll(&writable, 1, -1) < 0 && errno != EINTR) return errno;
  }
  return 0;
}

int sync_content(int descriptor) {
  struct stat status = {};
  if (fstat(descriptor, &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return 0;
  while (fdatasync(descriptor) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

bool is_standard_output(const std::string& path) {
  return path == "-" || path == "/dev/stdout";
}

bool names_open_descriptor(const std::string& path) {
  return path == "/dev/stderr" || path.starts_with("/dev/fd/") || path.starts_with("/proc/");
}

}  // namespace fantail
