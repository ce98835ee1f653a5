#include "ventilator/sources/lines.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace fantail {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1024} * 1024;
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;

// A descriptor that is closed at the end, unless it is standard input: that one is not ours.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ > STDIN_FILENO) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

SourceError cannot_read(const std::string& name, const LineFormat& format, int error_number) {
  return {std::string("cannot read ") + format.flag + " " + name + ": " +
          std::generic_category().message(error_number)};
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";
  const std::size_t first = line.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kWhiteSpace) - first + 1);
}

class LineSource : public Source {
 public:
  LineSource(std::string name, LineFormat format, Descriptor input, Descriptor interruption)
      : name_(std::move(name)),
        format_(format),
        input_(std::move(input)),
        interruption_(std::move(interruption)) {}

  std::variant<SourceStatus, SourceError> read(std::size_t limit, std::vector<std::string>& inputs) override;
  void interrupt() override {
    // It can fail only when the counter is full, and then the reader is awake already.
    [[maybe_unused]] const int result = ::eventfd_write(interruption_.number(), 1);
  }

 private:
  bool take_line(std::vector<std::string>& inputs);
  bool too_long() const;
  std::optional<SourceError> fill();
  bool wait();

  const std::string name_;
  const LineFormat format_;
  const Descriptor input_;
  const Descriptor interruption_;  // an eventfd that is readable from the first interrupt() on
  std::string buffer_;             // bytes read and not yet handed out start at begin_
  std::size_t begin_ = 0;
  std::optional<std::size_t> line_end_;  // the first delimiter from begin_ on, if the buffer has one
  std::uint64_t line_number_ = 1;        // of the line at begin_
  bool ended_ = false;
};

std::variant<SourceStatus, SourceError> LineSource::read(std::size_t limit,
                                                         std::vector<std::string>& inputs) {
  assert(limit > 0);
  const std::size_t before = inputs.size();
  while (true) {
    while (inputs.size() < before + limit && take_line(inputs)) {
    }
    if (inputs.size() > before) return SourceStatus::kMore;
    if (too_long()) {
      return SourceError{
          "line " + std::to_string(line_number_) + " of " + format_.flag + " " + name_ +
          " is longer than 1 MiB: put one input on each line (with -0: separate them by NUL bytes)"};
    }
    if (ended_) return SourceStatus::kEnd;
    if (auto error = fill()) return std::move(*error);
  }
}

// Takes one whole line from the buffer, or the rest at the end of the stream; false when there is none or it
// is too long.
bool LineSource::take_line(std::vector<std::string>& inputs) {
  const bool is_rest = !line_end_ && ended_ && begin_ < buffer_.size();
  if ((!line_end_ && !is_rest) || too_long()) return false;
  const std::size_t end = line_end_.value_or(buffer_.size());
  std::string_view line = std::string_view(buffer_).substr(begin_, end - begin_);
  if (format_.trim) line = trimmed(line);
  if (!line.empty() || format_.keeps_empty) inputs.emplace_back(line);
  begin_ = is_rest ? end : end + 1;
  ++line_number_;
  const std::size_t next = buffer_.find(format_.delimiter, begin_);
  line_end_ = next == std::string::npos ? std::nullopt : std::optional(next);
  return true;
}

bool LineSource::too_long() const {
  return line_end_.value_or(buffer_.size()) - begin_ > kLongestLine;
}

// Waits for bytes and reads them once. Requires that the buffer has no whole line, so that one cannot wait
// for another.
std::optional<SourceError> LineSource::fill() {
  assert(!line_end_);
  // Only the begin of one line moves, and it moves once: from then on it starts at 0.
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t known = buffer_.size();
  if (!wait()) {
    buffer_.clear();
    ended_ = true;
    return std::nullopt;
  }
  buffer_.resize(known + kReadBytes);
  const ssize_t count = ::read(input_.number(), buffer_.data() + known, kReadBytes);
  const int error_number = errno;
  buffer_.resize(known + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count < 0 && error_number != EINTR && error_number != EAGAIN)
    return cannot_read(name_, format_, error_number);
  ended_ = count == 0;
  const std::size_t next = buffer_.find(format_.delimiter, known);
  if (next != std::string::npos) line_end_ = next;
  return std::nullopt;
}

// Blocks until there is something to read (or the end, or an error, which read() will tell); false when
// interrupted.
bool LineSource::wait() {
  std::array<pollfd, 2> polled = {pollfd{interruption_.number(), POLLIN, 0},
                                  pollfd{input_.number(), POLLIN, 0}};
  while (::poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
  }
  return polled[0].revents == 0;
}

}  // namespace

std::variant<std::unique_ptr<Source>, SourceError> make_line_source(std::string path_or_dash,
                                                                    LineFormat format) {
  // Without O_NONBLOCK the open of a fifo would wait for its writer, where nothing can interrupt it.
  const bool is_stdin = path_or_dash == "-";
  Descriptor input(is_stdin ? STDIN_FILENO
                            : ::open(path_or_dash.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status = {};
  if (input.number() < 0 || ::fstat(input.number(), &status) != 0)
    return cannot_read(path_or_dash, format, errno);
  if (S_ISDIR(status.st_mode)) return cannot_read(path_or_dash, format, EISDIR);
  Descriptor interruption(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (interruption.number() < 0) return cannot_read(path_or_dash, format, errno);
  return std::make_unique<LineSource>(std::move(path_or_dash), format, std::move(input),
                                      std::move(interruption));
}

}  // namespace fantail
