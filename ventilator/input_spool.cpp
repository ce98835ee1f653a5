#include "ventilator/input_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace fantail {

namespace {

bool write_all(int descriptor, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = write(descriptor, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

bool read_all(int descriptor, char* bytes, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t got = pread(descriptor, bytes, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

std::variant<InputSpool, std::string> InputSpool::create(const std::string& folder) {
  InputSpool spool;
  constexpr int kFlags = O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC;
  spool.data_ = open((folder + "/inputs").c_str(), kFlags, 0600);
  spool.index_ = open((folder + "/inputs.index").c_str(), kFlags, 0600);
  if (spool.data_ < 0 || spool.index_ < 0) {
    return "cannot write in " + folder + ": " + std::strerror(errno) + "; choose another --state-dir";
  }
  return spool;
}

InputSpool::InputSpool(InputSpool&& other) noexcept
    : data_(std::exchange(other.data_, -1)),
      index_(std::exchange(other.index_, -1)),
      count_(other.count_),
      data_end_(other.data_end_),
      data_buffer_(std::move(other.data_buffer_)),
      index_buffer_(std::move(other.index_buffer_)) {}

InputSpool::~InputSpool() {
  if (data_ >= 0) close(data_);
  if (index_ >= 0) close(index_);
}

void InputSpool::append(std::string_view input) {
  data_buffer_ += input;
  data_end_ += input.size();
  index_buffer_.push_back(data_end_);
  ++count_;
}

std::optional<std::string> InputSpool::flush() {
  const bool written = write_all(data_, data_buffer_.data(), data_buffer_.size()) &&
                       write_all(index_, reinterpret_cast<const char*>(index_buffer_.data()),
                                 index_buffer_.size() * sizeof(std::uint64_t));
  if (!written) return std::string("cannot write the inputs to --state-dir: ") + std::strerror(errno);
  data_buffer_.clear();
  index_buffer_.clear();
  return std::nullopt;
}

std::optional<std::vector<std::string>> InputSpool::read(JobSpan jobs) const {
  std::vector<std::string> inputs;
  if (jobs.size() == 0) return inputs;
  // The end of the job before the first one is where it begins.
  std::vector<std::uint64_t> ends(jobs.size() + 1, 0);
  const std::uint64_t before = jobs.first == 0 ? 0 : 1;
  if (!read_all(index_, reinterpret_cast<char*>(ends.data() + (1 - before)),
                (jobs.size() + before) * sizeof(std::uint64_t),
                (jobs.first - before) * sizeof(std::uint64_t))) {
    return std::nullopt;
  }
  std::string bytes(ends.back() - ends.front(), '\0');
  if (!read_all(data_, bytes.data(), bytes.size(), ends.front())) return std::nullopt;
  inputs.reserve(jobs.size());
  for (std::size_t index = 0; index + 1 < ends.size(); ++index) {
    inputs.push_back(bytes.substr(ends[index] - ends.front(), ends[index + 1] - ends[index]));
  }
  return inputs;
}

}  // namespace fantail
