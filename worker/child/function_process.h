// A process that answers lines: one line on its standard input, one on its standard output, again and again.
// What it writes to standard error becomes this process's own. Between its questions nobody reads from it.
// Not for two threads at once, and the thread that started it has to live on: the process ends with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/app/file_descriptor.h"
#include "pipeline/instant.h"
#include "worker/child/child_stop.h"
#include "worker/child/environment.h"
#include "worker/child/error_lines.h"
#include "worker/child/line_buffer.h"
#include "worker/child/spawn.h"
#include "worker/stop_token.h"

namespace fantail {

// The ends of a process's pipes: its own, to be closed once it has begun, and ours.
struct FunctionPipes {
  FileDescriptor its_input, its_output, its_errors;
  FileDescriptor input, output, errors;

  // Not all of them are open where there are no descriptors left; errno says so.
  static FunctionPipes open();
  bool are_open() const { return input.is_open() && output.is_open() && errors.is_open(); }
};

struct FunctionAnswer {
  enum class End : std::uint8_t {
    kAnswered,
    kEnded,       // the process has ended, or closed its output
    kStopped,     // it was to be stopped before it answered
    kTooLong,     // the line is longer than the limit
    kUnasked,     // it wrote more than one line for this question or the one before
    kUnreadInput  // it answered before it had read its line
  };
  End end = End::kAnswered;
  std::string line{};                      // without its newline
  StopReason stopped = StopReason::kNone;  // why
  // kEnded: it had answered before, and read nothing of this question, which another process may be asked.
  bool untouched = false;
};

class FunctionProcess {
 public:
  // Newlines not counted.
  static constexpr std::size_t kLineBytesMax = std::size_t{16} << 20;

  // Takes our ends of the pipes; the mark must outlive the process.
  FunctionProcess(SpawnedChild child, FunctionPipes& pipes, const ChildEnvironment::Mark& mark,
                  Duration grace);
  // Lets it end by itself for as long as the grace, as its input ends, before it is stopped.
  ~FunctionProcess();
  FunctionProcess(const FunctionProcess&) = delete;
  FunctionProcess& operator=(const FunctionProcess&) = delete;

  // Whatever it reads and writes first, neither waits for the other for ever. After any other end than
  // kAnswered it has to be ended. The line has no newline.
  FunctionAnswer ask(std::string_view line, const StopToken& stop, Instant deadline);

  // Ends it and all that it has started: TERM, after the grace KILL. patience: how long it may take to end by
  // itself, as its input does. Returns how it ended: "exit code 3"; empty: it had to be stopped.
  std::string end(Duration patience);
  const std::string& last_error_line() const { return error_lines_.last_line(); }

 private:
  void write_some();
  bool read_output();
  void read_errors();
  void pass_on(const std::string& lines) const;
  bool is_untouched() const;
  // Reads and writes what can be, or waits for it.
  void wait(Instant wake, int stop_descriptor);

  SpawnedChild child_;
  FileDescriptor input_;
  FileDescriptor output_;
  FileDescriptor errors_;
  ChildStop ending_;
  Duration grace_;
  LineBuffer lines_;
  ErrorLines error_lines_;
  std::string question_;
  std::size_t written_ = 0;  // of question_
  bool reads_no_more_ = false;
  bool has_answered_ = false;
  bool exited_ = false;
  bool ended_ = false;
  std::vector<char> buffer_;  // for reading
};

}  // namespace fantail
