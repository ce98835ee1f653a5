// Preloaded into a program (LD_PRELOAD), makes one of its system calls on files fail: for tests that let the
// first one fail, then the second, and so on until a run passes untouched.
//
//   FANTAIL_FAULT_CALL   write, fsync, fdatasync, open, ftruncate, rename or unlink
//   FANTAIL_FAULT_PATH   counted are the calls on files whose path contains this
//   FANTAIL_FAULT_AT     which of these calls fails: 1 is the first
//   FANTAIL_FAULT_TIMES  how many in a row do [1]
//   FANTAIL_FAULT_ERROR  EIO, ENOSPC, EDQUOT, EINTR or EACCES; of a write also SHORT: half of it is written,
//   no
//                        error; FULL: half of it is written, and the next write has no space, as on a real
//                        disk
//   FANTAIL_FAULT_HIT    a file to which a line is appended for each failure, "CALL PATH", and a line "again
//                        PATH" when a file is synced after that failed: its data may be gone, and the kernel
//                        would not say so
//
// write stands for all its relatives. Calls that libc makes for itself, as for streams, are not seen. The
// counters are a process's own.
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>

static_assert(sizeof(long) == 8, "system calls get their offsets in one register");

namespace {

constexpr int kShort = -1;
constexpr int kFull = -2;
constexpr int kDescriptors = 1024;

std::atomic<long> calls{0};
std::atomic<int> full{-1};  // the descriptor whose next write finds no space
std::atomic<bool> sync_failed[kDescriptors];

long number_in(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atol(text);
}

bool is_set_to(const char* name, const char* value) {
  const char* text = std::getenv(name);
  return text != nullptr && std::strcmp(text, value) == 0;
}

int wanted_error() {
  if (is_set_to("FANTAIL_FAULT_ERROR", "ENOSPC")) return ENOSPC;
  if (is_set_to("FANTAIL_FAULT_ERROR", "EDQUOT")) return EDQUOT;
  if (is_set_to("FANTAIL_FAULT_ERROR", "EINTR")) return EINTR;
  if (is_set_to("FANTAIL_FAULT_ERROR", "EACCES")) return EACCES;
  if (is_set_to("FANTAIL_FAULT_ERROR", "SHORT")) return kShort;
  if (is_set_to("FANTAIL_FAULT_ERROR", "FULL")) return kFull;
  return EIO;
}

void tell(const char* what, const char* path) {
  const char* file = std::getenv("FANTAIL_FAULT_HIT");
  if (file == nullptr) return;
  char line[PATH_MAX + 32];
  const int size = snprintf(line, sizeof(line), "%s %s\n", what, path);
  const long descriptor =
      syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) std::abort();
  if (syscall(SYS_write, descriptor, line, size) != size) std::abort();
  syscall(SYS_close, descriptor);
}

// 0, or the error that this call has to report.
int fault(const char* call, const char* path) {
  if (!is_set_to("FANTAIL_FAULT_CALL", call)) return 0;
  const char* marker = std::getenv("FANTAIL_FAULT_PATH");
  if (path == nullptr || marker == nullptr || std::strstr(path, marker) == nullptr) return 0;
  const long number = ++calls;
  const long first = number_in("FANTAIL_FAULT_AT", 0);
  if (number < first || number >= first + number_in("FANTAIL_FAULT_TIMES", 1)) return 0;
  tell(call, path);
  return wanted_error();
}

// A file's path by its descriptor.
class OpenPath {
 public:
  explicit OpenPath(int descriptor) {
    char link[48];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
    const long size = syscall(SYS_readlinkat, AT_FDCWD, link, path_, sizeof(path_) - 1);
    path_[size < 0 ? 0 : size] = '\0';
  }
  const char* text() const { return path_; }

 private:
  char path_[PATH_MAX];
};

int fault_of_file(const char* call, int descriptor) {
  if (!is_set_to("FANTAIL_FAULT_CALL", call)) return 0;
  const int error_number = errno;
  const OpenPath path(descriptor);
  errno = error_number;
  return fault(call, path.text());
}

int fail(int error_number) {
  errno = error_number;
  return -1;
}

int open_or_fail(int folder, const char* path, int flags, mode_t mode) {
  const int error_number = fault("open", path);
  if (error_number > 0) return fail(error_number);
  const long descriptor = syscall(SYS_openat, folder, path, flags, mode);
  if (descriptor >= 0 && descriptor < kDescriptors) sync_failed[descriptor] = false;
  return static_cast<int>(descriptor);
}

// What a write has to report: 0, or an error; half tells that only half of it is to be written.
int fault_of_write(int descriptor, bool& half) {
  int filled = descriptor;
  if (descriptor >= 0 && full.compare_exchange_strong(filled, -1)) return ENOSPC;
  const int error_number = fault_of_file("write", descriptor);
  if (error_number == kFull) full = descriptor;
  half = error_number < 0;
  return half ? 0 : error_number;
}

ssize_t write_or_fail(int descriptor, const void* bytes, size_t size, const off_t* offset) {
  bool half = false;
  const int error_number = fault_of_write(descriptor, half);
  if (error_number > 0) return fail(error_number);
  if (half && size > 1) size /= 2;
  return offset == nullptr ? syscall(SYS_write, descriptor, bytes, size)
                           : syscall(SYS_pwrite64, descriptor, bytes, size, *offset);
}

int sync_or_fail(const char* call, long number, int descriptor) {
  const bool known = descriptor >= 0 && descriptor < kDescriptors;
  if (known && sync_failed[descriptor]) tell("again", OpenPath(descriptor).text());
  const int error_number = fault_of_file(call, descriptor);
  if (error_number > 0) {
    if (known && error_number != EINTR) sync_failed[descriptor] = true;
    return fail(error_number);
  }
  return static_cast<int>(syscall(number, descriptor));
}

int truncate_or_fail(int descriptor, off_t size) {
  const int error_number = fault_of_file("ftruncate", descriptor);
  return error_number > 0 ? fail(error_number) : static_cast<int>(syscall(SYS_ftruncate, descriptor, size));
}

mode_t mode_behind(int flags, va_list arguments) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_behind(flags, arguments);
  va_end(arguments);
  return open_or_fail(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_behind(flags, arguments);
  va_end(arguments);
  return open_or_fail(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_behind(flags, arguments);
  va_end(arguments);
  return open_or_fail(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_behind(flags, arguments);
  va_end(arguments);
  return open_or_fail(folder, path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return write_or_fail(descriptor, bytes, size, nullptr);
}
ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  return write_or_fail(descriptor, bytes, size, &offset);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t offset) {
  return write_or_fail(descriptor, bytes, size, &offset);
}
ssize_t writev(int descriptor, const iovec* pieces, int count) {
  bool half = false;
  const int error_number = fault_of_write(descriptor, half);
  if (error_number > 0) return fail(error_number);
  if (half && count > 1) count /= 2;
  return syscall(SYS_writev, descriptor, pieces, count);
}

int ftruncate(int descriptor, off_t size) noexcept {
  return truncate_or_fail(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size) noexcept {
  return truncate_or_fail(descriptor, size);
}

int fsync(int descriptor) {
  return sync_or_fail("fsync", SYS_fsync, descriptor);
}
int fdatasync(int descriptor) {
  return sync_or_fail("fdatasync", SYS_fdatasync, descriptor);
}

// What counts is the new path.
int rename(const char* from, const char* to) noexcept {
  const int error_number = fault("rename", to);
  if (error_number > 0) return fail(error_number);
  return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int unlink(const char* path) noexcept {
  const int error_number = fault("unlink", path);
  if (error_number > 0) return fail(error_number);
  return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

}  // extern "C"
