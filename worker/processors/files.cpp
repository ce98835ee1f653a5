#include "worker/processors/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "worker/files/counting.h"
#include "worker/files/hashing.h"
#include "worker/files/large_file.h"

namespace fantail {
namespace {

// Large enough that a read's fixed cost vanishes, small enough to stay in the second-level cache for counter
// and hasher.
constexpr std::size_t kBufferBytes = 256 << 10;

class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  ~OpenFile() { ::close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

 private:
  int descriptor_;
};

const char* error_code(int error_number) {
  switch (error_number) {
    case ENOENT:
      return "not_found";
    case EACCES:
    case EPERM:
      return "permission_denied";
    case EIO:
      return "io_error";
    case ELOOP:
      return "symlink_loop";
    case ENAMETOOLONG:
      return "name_too_long";
    case ESTALE:
      return "stale_handle";
    case EMFILE:
    case ENFILE:
      return "out_of_descriptors";
    default:
      return "os_error";
  }
}

JobResult operating_error(const char* what, int error_number) {
  std::string message = std::string(what) + ": " + std::generic_category().message(error_number);
  return JobResult::failed(error_code(error_number), std::move(message));
}

JobResult not_regular(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return JobResult::failed("is_directory", "is a directory, not a regular file");
    case S_IFIFO:
      return JobResult::failed("not_regular", "is a fifo, not a regular file");
    case S_IFSOCK:
      return JobResult::failed("not_regular", "is a socket, not a regular file");
    case S_IFCHR:
    case S_IFBLK:
      return JobResult::failed("not_regular", "is a device, not a regular file");
    default:
      return JobResult::failed("not_regular", "is not a regular file");
  }
}

JobResult open_error(const std::string& path, int error_number) {
  // Sockets and devices without a driver cannot be opened at all: ask what it was that refused.
  struct stat status = {};
  const bool special =
      error_number == ENXIO && ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  return special ? not_regular(status.st_mode) : operating_error("cannot open", error_number);
}

bool same_instant(const timespec& left, const timespec& right) {
  return left.tv_sec == right.tv_sec && left.tv_nsec == right.tv_nsec;
}

bool unchanged(const struct stat& before, const struct stat& after) {
  return before.st_size == after.st_size && same_instant(before.st_mtim, after.st_mtim) &&
         same_instant(before.st_ctim, after.st_ctim);
}

class FilesProcessor : public SyncProcessor {
 public:
  FilesProcessor(const proto::FilesSpec& spec, const std::string& other_machine)
      : buffer_(kBufferBytes), other_machine_(other_machine) {
    if (const auto algorithm = parse_hash_algorithm(spec.hash_algorithm()))
      hasher_ = Hasher::make(*algorithm);
  }

  JobResult process(const SyncJob& job, const StopToken& stop) override;

 private:
  JobResult read(int descriptor, const StopToken& stop);
  JobResult read_to_end(int descriptor, const struct stat& before, const StopToken& stop);
  JobResult answer(int descriptor, const struct stat& before, std::uint64_t size, const Counts& counts,
                   std::optional<std::string_view> hash);
  JobResult missing(int error_number) const;

  // All of it is kept from file to file, so that a small file costs its system calls and one allocation, the
  // payload.
  std::optional<Hasher> hasher_;
  std::vector<std::byte> buffer_;
  std::string path_;
  std::string other_machine_;  // this machine's name where it is not the ventilator's
  bool found_any_ = false;
  proto::FilesResult result_;
};

JobResult FilesProcessor::process(const SyncJob& job, const StopToken& stop) {
  const std::string_view input = job.input;
  if (!hasher_)
    return JobResult::failed("bad_spec", "this worker cannot compute the hash that the run asks for");
  if (input.empty()) return JobResult::failed("bad_path", "the path is empty");
  if (input.find('\0') != std::string_view::npos)
    return JobResult::failed("bad_path", "the path has a NUL byte");
  path_.assign(input);
  int descriptor = -1;
  do {
    if (stop.stop_requested()) return JobResult::stopped(stop.reason());
    // Without O_NONBLOCK a fifo blocks here until a writer comes, and with a stat before the open it still
    // can.
    descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return missing(errno);
  found_any_ = true;
  const OpenFile file(descriptor);
  return read(descriptor, stop);
}

JobResult FilesProcessor::missing(int error_number) const {
  JobResult result = open_error(path_, error_number);
  if (error_number == ENOENT && !found_any_ && !other_machine_.empty()) {
    result.error_message +=
        " on " + other_machine_ + ": paths must mean the same on every machine, is the directory there?";
  }
  return result;
}

JobResult FilesProcessor::read(int descriptor, const StopToken& stop) {
  struct stat before = {};
  if (::fstat(descriptor, &before) != 0) return operating_error("cannot stat", errno);
  if (!S_ISREG(before.st_mode)) return not_regular(before.st_mode);
  const auto size = static_cast<std::uint64_t>(before.st_size);
  if (size < kLargeFileBytes) return read_to_end(descriptor, before, stop);
  Counts counts;
  hasher_->reset();
  switch (read_large_file(descriptor, size, stop, *hasher_, counts)) {
    case LargeFileEnd::kRead:
      return answer(descriptor, before, size, counts, hasher_->finish());
    case LargeFileEnd::kStopped:
      return JobResult::stopped(stop.reason());
    case LargeFileEnd::kLost:
      break;
  }
  return read_to_end(descriptor, before, stop);
}

JobResult FilesProcessor::read_to_end(int descriptor, const struct stat& before, const StopToken& stop) {
  Counts counts;
  std::uint64_t size = 0;
  while (true) {
    if (stop.stop_requested()) return JobResult::stopped(stop.reason());
    const ssize_t got = ::read(descriptor, buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return operating_error("cannot read", errno);
    const std::span<const std::byte> bytes(buffer_.data(), static_cast<std::size_t>(got));
    count(bytes, counts);
    // The size is a promise only (0 in /proc, anything for a growing file), so the end is where read() says
    // it is. Only a small file that kept its promise is spared the second read: the stat below would show
    // that it grew.
    const bool first = size == 0;
    if (first && bytes.size() < buffer_.size() && got == before.st_size)
      return answer(descriptor, before, bytes.size(), counts, hasher_->hash(bytes));
    if (first) hasher_->reset();
    if (got == 0) return answer(descriptor, before, size, counts, hasher_->finish());
    hasher_->update(bytes);
    size += bytes.size();
  }
}

JobResult FilesProcessor::answer(int descriptor, const struct stat& before, std::uint64_t size,
                                 const Counts& counts, std::optional<std::string_view> hash) {
  struct stat after = {};
  if (::fstat(descriptor, &after) != 0) return operating_error("cannot stat", errno);
  if (!hash) return JobResult::failed("hash_failed", "OpenSSL failed to compute the hash");
  result_.set_size(size);
  result_.set_hash(hash->data(), hash->size());
  result_.set_words(counts.words);
  result_.set_lines(counts.lines);
  std::string payload;
  result_.SerializeToString(&payload);
  if (unchanged(before, after)) return JobResult::ok(std::move(payload));
  return JobResult::failed("changed_while_reading", "the file changed while it was read", std::move(payload));
}

}  // namespace

std::unique_ptr<SyncProcessor> make_files_processor(const proto::FilesSpec& spec,
                                                    const std::string& other_machine) {
  return std::make_unique<FilesProcessor>(spec, other_machine);
}

}  // namespace fantail
