#include "worker/child/function_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "pipeline/net/poller.h"

namespace fantail {

namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
// A process that closes its output mostly does so by ending.
constexpr Duration kExitFollows = std::chrono::seconds(1);
// After the end: somebody that nobody knows of may go on writing.
constexpr int kLastAnswerReads = 64;

// Whether there is a pipe, whose end that is ours does not block.
bool open_pipe(FileDescriptor& reads, FileDescriptor& writes, const FileDescriptor& ours) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  reads = above_standard(FileDescriptor(ends[0]));
  writes = above_standard(FileDescriptor(ends[1]));
  return reads.is_open() && writes.is_open() && ::fcntl(ours.get(), F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

FunctionPipes FunctionPipes::open() {
  FunctionPipes pipes;
  const bool opened = open_pipe(pipes.its_input, pipes.input, pipes.input) &&
                      open_pipe(pipes.output, pipes.its_output, pipes.output) &&
                      open_pipe(pipes.errors, pipes.its_errors, pipes.errors);
  if (!opened) pipes.input = FileDescriptor();
  return pipes;
}

FunctionProcess::FunctionProcess(SpawnedChild child, FunctionPipes& pipes, const ChildEnvironment::Mark& mark,
                                 Duration grace)
    : child_(std::move(child)),
      input_(std::move(pipes.input)),
      output_(std::move(pipes.output)),
      errors_(std::move(pipes.errors)),
      ending_(child_.id, mark),
      grace_(grace),
      buffer_(kReadBytes) {}

FunctionProcess::~FunctionProcess() {
  if (!ended_) end(grace_);
}

FunctionAnswer FunctionProcess::ask(std::string_view line, const StopToken& stop, Instant deadline) {
  using End = FunctionAnswer::End;
  question_.assign(line).append("\n");
  written_ = 0;
  // What came since the last answer would pass for the next one.
  read_output();
  if (lines_.size() > 0) return {.end = End::kUnasked};
  write_some();
  while (true) {
    if (std::optional<std::string> answer = lines_.take_line()) {
      if (answer->size() > kLineBytesMax) return {.end = End::kTooLong};
      if (lines_.size() > 0) return {.end = End::kUnasked};
      if (written_ < question_.size()) return {.end = End::kUnreadInput};
      has_answered_ = true;
      return {.line = std::move(*answer)};
    }
    if (lines_.size() > kLineBytesMax) return {.end = End::kTooLong};
    if (exited_ || !output_.is_open()) return {.end = End::kEnded, .untouched = is_untouched()};
    if (stop.stop_requested()) return {.end = End::kStopped, .stopped = stop.reason()};
    if (deadline != kNever && steady_now() >= deadline)
      return {.end = End::kStopped, .stopped = StopReason::kExpired};
    wait(deadline, stop.descriptor());
  }
}

std::string FunctionProcess::end(Duration patience) {
  ended_ = true;
  input_ = FileDescriptor();
  Instant now = steady_now();
  const Instant patience_ends = now + (output_.is_open() ? patience : std::max(patience, kExitFollows));
  for (; !exited_ && now < patience_ends; now = steady_now())
    wait(patience_ends, -1);
  const bool by_itself = exited_;
  ending_.begin(now, grace_);
  for (; !ending_.is_over(now); now = steady_now()) {
    const Instant wake = ending_.on_tick(now, exited_);
    if (!ending_.is_over(now)) wait(wake, -1);
  }
  for (int count = 0; count < kLastAnswerReads && errors_.is_open(); ++count)
    read_errors();
  pass_on(error_lines_.take_rest());
  if (!exited_) return {};
  const int status = wait_for(child_);
  return by_itself ? shown_wait_status(status) : std::string();
}

void FunctionProcess::write_some() {
  const ssize_t written = ::write(input_.get(), question_.data() + written_, question_.size() - written_);
  if (written > 0) {
    written_ += static_cast<std::size_t>(written);
  } else if (errno != EAGAIN && errno != EINTR) {
    reads_no_more_ = true;
  }
}

bool FunctionProcess::read_output() {
  const ssize_t got = output_.is_open() ? ::read(output_.get(), buffer_.data(), buffer_.size()) : -1;
  if (got > 0 && !ended_) lines_.append({buffer_.data(), static_cast<std::size_t>(got)});
  if (got == 0) output_ = FileDescriptor();
  return got > 0;
}

void FunctionProcess::read_errors() {
  const ssize_t got = ::read(errors_.get(), buffer_.data(), buffer_.size());
  if (got > 0) pass_on(error_lines_.take({buffer_.data(), static_cast<std::size_t>(got)}));
  if (got == 0) errors_ = FileDescriptor();
}

void FunctionProcess::pass_on(const std::string& lines) const {
  if (lines.empty()) return;
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, lines.data(), lines.size());
}

bool FunctionProcess::is_untouched() const {
  int unread = 0;
  return has_answered_ && input_.is_open() && ::ioctl(input_.get(), FIONREAD, &unread) == 0 &&
         static_cast<std::size_t>(unread) == written_;
}

void FunctionProcess::wait(Instant wake, int stop_descriptor) {
  const bool writes = input_.is_open() && !reads_no_more_ && written_ < question_.size();
  std::array<pollfd, 5> ready = {{{output_.get(), POLLIN, 0},
                                  {errors_.get(), POLLIN, 0},
                                  {writes ? input_.get() : -1, POLLOUT, 0},
                                  {exited_ ? -1 : child_.exited.get(), POLLIN, 0},
                                  {stop_descriptor, POLLIN, 0}}};
  if (::poll(ready.data(), ready.size(), poll_timeout_ms(wake)) <= 0) return;
  if (ready[1].revents != 0) read_errors();
  if (ready[2].revents != 0) write_some();
  if (ready[0].revents != 0) read_output();
  if (ready[3].revents == 0) return;
  exited_ = true;
  // All that it wrote is there now.
  while (!ended_ && lines_.size() <= kLineBytesMax && read_output()) {
  }
}

}  // namespace fantail
