#include "pipeline/app/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "pipeline/app/durable.h"

namespace fantail {

namespace {

int read_pid(int descriptor) {
  char bytes[16];
  const ssize_t got = pread(descriptor, bytes, sizeof(bytes), 0);
  int pid = 0;
  if (got > 0) std::from_chars(bytes, bytes + got, pid);
  return pid;
}

}  // namespace

std::variant<RunLock, RunLock::Holder, std::string> RunLock::take(const std::string& folder) {
  const std::string path = folder + "/lock";
  FileDescriptor file(open_private_file(path, O_RDWR | O_CREAT));
  int error_number = file.is_open() ? 0 : errno;
  while (error_number == 0 && flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Holder{read_pid(file.get())};
    if (errno != EINTR) error_number = errno;
  }
  if (error_number != 0) {
    return "cannot lock " + path + ": " + error_text(error_number) + "; choose another --state-dir";
  }
  // The pid is for people: on a full disk the lock holds without it.
  const std::string pid = std::to_string(getpid()) + "\n";
  if (truncate_file(file.get(), 0) == 0) write_all_at(file.get(), pid, 0);
  return RunLock(std::move(file));
}

std::optional<int> lock_holder(const std::string& folder) {
  const FileDescriptor file(open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC));
  struct stat lock = {};
  if (!file.is_open() || fstat(file.get(), &lock) != 0) return std::nullopt;
  const int pid = read_pid(file.get());
  // This process has it open just now, and a pid that is its own is left over from another.
  if (pid <= 0 || pid == getpid()) return std::nullopt;
  // The number may be another process's by now: the one that has the lock has the file open.
  std::error_code failure;
  std::filesystem::directory_iterator entry("/proc/" + std::to_string(pid) + "/fd", failure);
  if (failure == std::errc::permission_denied) return pid;  // somebody else's process
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    struct stat opened = {};
    if (stat(entry->path().c_str(), &opened) == 0 && opened.st_dev == lock.st_dev &&
        opened.st_ino == lock.st_ino) {
      return pid;
    }
  }
  return std::nullopt;
}

}  // namespace fantail
