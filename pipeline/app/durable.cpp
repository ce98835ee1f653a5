#include "pipeline/app/durable.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <limits>
#include <system_error>

#include "pipeline/app/file_descriptor.h"
#include "pipeline/app/incarnation.h"
#include "pipeline/state_hash.h"

namespace fantail {

namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;
constexpr std::size_t kEpochFileMax = 128;

std::string folder_of(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return "/";
  const std::size_t slash = path.rfind('/', end);
  if (slash == std::string::npos) return ".";
  const std::size_t last = path.find_last_not_of('/', slash);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

int sync_folder_errno(const std::string& path) {
  const FileDescriptor folder(open_private_file(path, O_RDONLY | O_DIRECTORY));
  if (!folder.is_open()) return errno;
  const int error_number = sync_file(folder.get());
  // What a file system says that knows no such thing.
  return error_number == EINVAL ? 0 : error_number;
}

int write_new_file(const std::string& path, std::string_view bytes) {
  const FileDescriptor file(open_private_file(path, O_WRONLY | O_CREAT | O_TRUNC));
  if (!file.is_open()) return errno;
  const int error_number = write_all_at(file.get(), bytes, 0);
  return error_number != 0 ? error_number : sync_file(file.get());
}

std::optional<std::string> make_one_folder(const std::string& path) {
  const bool made = mkdir(path.c_str(), kFolderMode) == 0;
  const int error_number = made ? 0 : errno;
  struct stat status = {};
  const bool there = made || (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode));
  if (!there) {
    return "cannot make the folder " + path + ": " + error_text(error_number) +
           "; choose another --state-dir";
  }
  // One that stands there may have been made by a process that did not live to sync it. Where somebody else's
  // folder cannot be opened, it was not us.
  const std::string parent = folder_of(path);
  const int sync_error = sync_folder_errno(parent);
  if (sync_error == 0 || (!made && sync_error == EACCES)) return std::nullopt;
  return "cannot make the folder " + path + " durable in " + parent + ": " + error_text(sync_error) +
         "; check that disk, or choose another --state-dir";
}

// ---- the epoch's file: the number, a space, a checksum of it, a newline.

std::string epoch_text(std::uint64_t epoch) {
  char checksum[17];
  std::snprintf(checksum, sizeof(checksum), "%016llx",
                static_cast<unsigned long long>(StateHash().add(epoch).value()));
  return std::to_string(epoch) + " " + checksum + "\n";
}

// 0 where there is no file yet.
std::variant<std::uint64_t, std::string> read_epoch(const std::string& path) {
  const FileDescriptor file(open_private_file(path, O_RDONLY));
  if (!file.is_open()) {
    if (errno == ENOENT) return std::uint64_t{0};
    return "cannot read " + path + ": " + error_text(errno) + "; choose another --state-dir";
  }
  char bytes[kEpochFileMax];
  ssize_t got = -1;
  do {
    got = pread(file.get(), bytes, sizeof(bytes), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return "cannot read " + path + ": " + error_text(errno) + "; check that disk";
  const std::string_view text(bytes, static_cast<std::size_t>(got));
  std::uint64_t epoch = 0;
  std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (text != epoch_text(epoch) || epoch == std::numeric_limits<std::uint64_t>::max()) {
    return path +
           " is damaged, so nobody knows which incarnation was the last; check that disk. If no run in " +
           folder_of(path) + " is to be continued, remove the file";
  }
  return epoch;
}

}  // namespace

int open_private_file(const std::string& path, int flags) {
  for (;;) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
    if (descriptor >= 0 || errno != EINTR) return descriptor;
  }
}

int write_all_at(int descriptor, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return EIO;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return 0;
}

int truncate_file(int descriptor, std::uint64_t size) {
  while (ftruncate(descriptor, static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int sync_file(int descriptor) {
  while (fsync(descriptor) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int sync_file_content(int descriptor) {
  while (fdatasync(descriptor) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

std::optional<std::string> replace_file_durably(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  int error_number = write_new_file(temporary, bytes);
  if (error_number == 0 && rename(temporary.c_str(), path.c_str()) != 0) error_number = errno;
  if (error_number != 0) {
    unlink(temporary.c_str());
    return "cannot write " + path + ": " + error_text(error_number) +
           "; make room there, or choose another --state-dir";
  }
  return sync_folder(folder_of(path));
}

std::optional<std::string> sync_folder(const std::string& path) {
  const int error_number = sync_folder_errno(path);
  if (error_number == 0) return std::nullopt;
  return "cannot make what was written in " + path + " durable: " + error_text(error_number) +
         "; check that disk, or choose another --state-dir";
}

std::optional<std::string> make_folder_durably(const std::string& path) {
  for (std::size_t end = 0; end < path.size();) {
    const std::size_t begin = path.find_first_not_of('/', end);
    if (begin == std::string::npos) break;
    end = std::min(path.find('/', begin), path.size());
    const std::string folder = path.substr(0, end);
    struct stat status = {};
    const bool last = path.find_first_not_of('/', end) == std::string::npos;
    if (!last && stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) continue;
    if (auto error = make_one_folder(folder)) return error;
  }
  return std::nullopt;
}

std::variant<std::uint64_t, std::string> next_epoch(const std::string& state_dir) {
  // Not the file itself: that one is replaced, and whoever waited for its lock would hold an old one.
  const std::string lock_path = state_dir + "/epoch.lock";
  const FileDescriptor lock(open_private_file(lock_path, O_RDWR | O_CREAT));
  int error_number = lock.is_open() ? 0 : errno;
  while (error_number == 0 && flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) error_number = errno;
  }
  if (error_number != 0) {
    return "cannot lock " + lock_path + ": " + error_text(error_number) + "; choose another --state-dir";
  }
  const std::string path = state_dir + "/epoch";
  auto stored = read_epoch(path);
  if (std::holds_alternative<std::string>(stored)) return stored;
  const std::uint64_t epoch = std::max(std::get<std::uint64_t>(stored) + 1, incarnation_now());
  if (auto error = replace_file_durably(path, epoch_text(epoch))) return *error;
  return epoch;
}

}  // namespace fantail
