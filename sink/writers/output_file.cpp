#include "sink/writers/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "sink/writers/text.h"
#include "sink/writers/write_all.h"

namespace fantail {

namespace {

constexpr std::size_t kBufferSize = std::size_t{256} << 10;
constexpr mode_t kFileMode = 0666;  // less the umask

std::string shown_name(std::string_view flag, const std::string& path) {
  if (is_standard_output(path)) return "standard output";
  return std::string(flag) + " " + escape_control(path);
}

std::string sentence(const std::string& name, int error_number) {
  return "cannot write " + name + ": " + error_text(error_number);
}

int open_file(const char* path, int flags, mode_t mode = kFileMode) {
  for (;;) {
    const int descriptor = ::open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags, mode);
    if (descriptor >= 0 || errno != EINTR) return descriptor;
  }
}

int write_and_sync(int descriptor, std::string_view content) {
  const int error_number = write_all(descriptor, content);
  return error_number != 0 ? error_number : sync_content(descriptor);
}

// A link is followed: its target is what has to be replaced.
std::string followed(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
  return real == nullptr ? path : std::string(real.get());
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Makes a new file in the directory. Names left behind by a process that died are passed over.
int make_temporary(const std::string& directory, std::string& path) {
  for (int number = 0; number < 1000; ++number) {
    path = directory + "/.fantail-" + std::to_string(getpid()) + "-" + std::to_string(number) + ".tmp";
    const int descriptor = open_file(path.c_str(), O_CREAT | O_EXCL);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

// Best effort: not every file system can do it, and the content is safe already.
void sync_directory(const std::string& directory) {
  const FileDescriptor file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.is_open()) fsync(file.get());
}

int write_directly(const std::string& path, std::string_view content) {
  const FileDescriptor file(open_file(path.c_str(), O_APPEND));
  return file.is_open() ? write_and_sync(file.get(), content) : errno;
}

// The answers of this and the above are errnos, 0 when it worked. mode is that of the file that stands there,
// if one does.
int replace_file(const std::string& path, std::string_view content, std::optional<mode_t> mode) {
  const std::string directory = directory_of(path);
  std::string temporary;
  const FileDescriptor file(make_temporary(directory, temporary));
  if (!file.is_open()) return errno;
  int error_number = write_and_sync(file.get(), content);
  if (error_number == 0 && mode && fchmod(file.get(), *mode & 07777) != 0) error_number = errno;
  if (error_number == 0 && rename(temporary.c_str(), path.c_str()) != 0) error_number = errno;
  if (error_number != 0) {
    unlink(temporary.c_str());
    return error_number;
  }
  sync_directory(directory);
  return 0;
}

int write_report(const std::string& path, std::string_view content) {
  if (is_standard_output(path)) return write_all(STDOUT_FILENO, content);
  if (names_open_descriptor(path)) return write_directly(path, content);
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? replace_file(path, content, std::nullopt) : errno;
  }
  if (S_ISDIR(status.st_mode)) return EISDIR;
  if (!S_ISREG(status.st_mode)) return write_directly(path, content);
  return replace_file(followed(path), content, status.st_mode);
}

}  // namespace

std::variant<OutputFile, std::string> OutputFile::open(const std::string& path, std::string_view flag) {
  const std::string name = shown_name(flag, path);
  if (is_standard_output(path)) return OutputFile(FileDescriptor(), STDOUT_FILENO, name);
  const bool borrowed = names_open_descriptor(path);
  FileDescriptor file(open_file(path.c_str(), borrowed ? O_APPEND : O_CREAT));
  if (!file.is_open()) return sentence(name, errno);
  const int descriptor = file.get();
  struct stat status = {};
  const bool regular = !borrowed && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  OutputFile output(std::move(file), descriptor, name);
  output.regular_ = regular;
  return output;
}

std::optional<std::string> OutputFile::start_at(std::uint64_t length) {
  if (!regular_) return std::nullopt;
  const auto offset = static_cast<off_t>(length);
  struct stat status = {};
  if (fstat(descriptor_, &status) != 0) return fail(errno);
  if (status.st_size < offset) {
    error_ = name_ + " is shorter than what the run has written to it: choose another --output";
    return error_;
  }
  if (ftruncate(descriptor_, offset) != 0 || lseek(descriptor_, offset, SEEK_SET) != offset)
    return fail(errno);
  length_ = length;
  return std::nullopt;
}

OutputFile::OutputFile(FileDescriptor owned, int descriptor, std::string name)
    : owned_(std::move(owned)), descriptor_(descriptor), name_(std::move(name)) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  flush();
  owned_ = std::move(other.owned_);
  descriptor_ = other.descriptor_;
  name_ = std::move(other.name_);
  regular_ = other.regular_;
  lacks_space_ = other.lacks_space_;
  length_ = other.length_;
  buffer_ = std::exchange(other.buffer_, {});
  error_ = std::move(other.error_);
  return *this;
}

OutputFile::~OutputFile() {
  flush();
}

std::optional<std::string> OutputFile::append(std::string_view bytes) {
  if (error_) return error_;
  buffer_ += bytes;
  // Where space is lacking, the next flush() by the caller's own choice will tell.
  if (buffer_.size() > kBufferSize && !lacks_space_) flush();
  return error_;
}

std::optional<std::string> OutputFile::flush() {
  lacks_space_ = false;
  if (error_ || buffer_.empty()) return error_;
  auto error = write(buffer_);
  if (!lacks_space_) buffer_.clear();
  return error;
}

std::optional<std::string> OutputFile::sync() {
  if (auto error = flush()) return error;
  const int error_number = sync_content(descriptor_);
  return error_number == 0 ? std::nullopt : fail(error_number);
}

std::optional<std::string> OutputFile::close() {
  if (auto error = sync(); error && !error_) error_ = error;
  // Some file systems tell only now that the storage is full.
  if (owned_.is_open() && ::close(owned_.release()) != 0 && errno != EINTR && !error_) fail(errno);
  return error_;
}

std::optional<std::string> OutputFile::write(std::string_view bytes) {
  const int error_number = write_all(descriptor_, bytes);
  if (error_number == 0) {
    length_ += bytes.size();
    return std::nullopt;
  }
  const auto offset = static_cast<off_t>(length_);
  if (regular_ && (error_number == ENOSPC || error_number == EDQUOT) && ftruncate(descriptor_, offset) == 0 &&
      lseek(descriptor_, offset, SEEK_SET) == offset) {
    lacks_space_ = true;
    return sentence(name_, error_number);
  }
  return fail(error_number);
}

std::optional<std::string> OutputFile::fail(int error_number) {
  error_ = sentence(name_, error_number);
  return error_;
}

std::optional<std::string> write_file_atomically(const std::string& path, std::string_view content) {
  const int error_number = write_report(path, content);
  if (error_number == 0) return std::nullopt;
  return sentence(shown_name("--report", path), error_number);
}

}  // namespace fantail
