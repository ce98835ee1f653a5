#include "ventilator/sources/submitted.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <optional>

#include "pipeline/app/file_descriptor.h"
#include "pipeline/app/wake_event.h"
#include "ventilator/serving/submission_folder.h"

namespace fantail {

namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kReadAtOnceBytes = std::size_t{64} << 10;
// A line of --input has at most 1 MiB.
constexpr std::size_t kInputBytesMax = std::size_t{16} << 20;

class SubmittedSource : public Source {
 public:
  SubmittedSource(std::string folder, FileDescriptor stream, FileDescriptor changes)
      : folder_(std::move(folder)), stream_(std::move(stream)), changes_(std::move(changes)) {}

  std::variant<SourceStatus, SourceError> read(std::size_t limit, std::vector<std::string>& inputs) override;
  std::uint64_t skipped() const override { return end_ ? end_->skipped() : 0; }
  std::vector<std::uint64_t> longest() const override {
    if (!end_) return {};
    return {end_->longest().begin(), end_->longest().end()};
  }
  void interrupt() override {
    interrupted_ = true;
    wake_.signal();
  }

 private:
  bool take(std::vector<std::string>& inputs);
  std::optional<std::size_t> next_length() const;
  std::optional<SourceError> fill();
  void wait();

  std::string folder_;
  FileDescriptor stream_;
  FileDescriptor changes_;
  WakeEvent wake_;
  std::atomic<bool> interrupted_{false};
  std::optional<proto::InputsEnd> end_;
  std::uint64_t read_ = 0;  // bytes of the stream
  std::string buffer_;      // what follows begin_ is not taken yet
  std::size_t begin_ = 0;
};

std::optional<std::size_t> SubmittedSource::next_length() const {
  if (buffer_.size() - begin_ < kLengthBytes) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t index = kLengthBytes; index-- > 0;)
    length = length << 8 | static_cast<std::uint8_t>(buffer_[begin_ + index]);
  return length;
}

bool SubmittedSource::take(std::vector<std::string>& inputs) {
  const auto length = next_length();
  if (!length || buffer_.size() - begin_ - kLengthBytes < *length) return false;
  inputs.push_back(buffer_.substr(begin_ + kLengthBytes, *length));
  begin_ += kLengthBytes + *length;
  return true;
}

std::variant<SourceStatus, SourceError> SubmittedSource::read(std::size_t limit,
                                                              std::vector<std::string>& inputs) {
  const std::size_t before = inputs.size();
  for (;;) {
    while (inputs.size() < before + limit && take(inputs)) {
    }
    if (inputs.size() > before) return SourceStatus::kMore;
    if (next_length().value_or(0) > kInputBytesMax)
      return SourceError{"what was submitted is no list of inputs: submit it anew"};
    if (interrupted_) return SourceStatus::kEnd;
    if (end_ && read_ >= end_->bytes()) return SourceStatus::kEnd;
    // First what is there: also of a stream that ends too early every whole input counts.
    if (auto error = fill()) return *error;
  }
}

std::optional<SourceError> SubmittedSource::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t known = buffer_.size();
  const auto end = end_ ? end_ : read_inputs_end(folder_);
  buffer_.resize(known + kReadAtOnceBytes);
  const ssize_t count = ::read(stream_.get(), buffer_.data() + known, kReadAtOnceBytes);
  const int error_number = errno;
  buffer_.resize(known + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count < 0 && error_number != EINTR)
    return SourceError{"cannot read " + folder_ + ": " + error_text(error_number)};
  if (count > 0) read_ += static_cast<std::uint64_t>(count);
  if (count != 0) return std::nullopt;
  end_ = end;
  if (!end_) {
    wait();
  } else if (!end_->error().empty()) {
    return SourceError{end_->error()};
  } else if (read_ < end_->bytes()) {
    return SourceError{folder_ + " does not hold all that was submitted: submit it anew"};
  }
  return std::nullopt;
}

// Changes since the last time end the wait at once.
void SubmittedSource::wait() {
  pollfd ready[] = {{changes_.get(), POLLIN, 0}, {wake_.descriptor(), POLLIN, 0}};
  ::poll(ready, 2, -1);
  std::array<char, 4096> events;
  while (::read(changes_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace

void append_submitted(const std::string& input, std::string& stream) {
  for (std::size_t index = 0; index < kLengthBytes; ++index)
    stream.push_back(static_cast<char>(input.size() >> (8 * index)));
  stream += input;
}

std::variant<std::unique_ptr<Source>, SourceError> make_submitted_source(const std::string& folder) {
  FileDescriptor changes(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  const bool watched =
      changes.is_open() && inotify_add_watch(changes.get(), folder.c_str(), IN_MODIFY | IN_MOVED_TO) >= 0;
  FileDescriptor stream(::open(inputs_path(folder).c_str(), O_RDONLY | O_CLOEXEC));
  if (!watched || !stream.is_open()) return SourceError{"cannot read " + folder + ": " + error_text(errno)};
  return std::make_unique<SubmittedSource>(folder, std::move(stream), std::move(changes));
}

}  // namespace fantail
