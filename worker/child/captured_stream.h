// One stream of a child's output: the head is kept, what follows goes on in pieces or is dropped, all of it
// counts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/app/file_descriptor.h"
#include "pipeline/exec_command.h"
#include "worker/processor.h"

namespace fantail {

class CapturedStream {
 public:
  static constexpr std::size_t kHeadBytes = kOutputHeadBytes;
  static constexpr std::size_t kPieceBytesMax = 256 << 10;

  explicit CapturedStream(bool is_stderr) : is_stderr_(is_stderr) {}

  // Opens the pipe; what the child writes to. Not open: there are no descriptors left. rest: null drops it.
  FileDescriptor begin(OutputChannel* rest);
  void end() { pipe_ = FileDescriptor(); }
  bool ended() const { return !pipe_.is_open(); }
  int descriptor() const { return pipe_.get(); }

  // Whether the next read may be handed on. False: the child has to wait.
  bool has_room() const;
  // What is there, as much as the buffer holds. Requires: there is something, or its end.
  void read_some(std::span<char> buffer);
  void drop_rest();  // from here on
  void send_rest();  // what is left of the last piece

  std::string_view head() const { return head_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  void take(std::string_view bytes);
  void send_piece();

  bool is_stderr_;
  FileDescriptor pipe_;
  OutputChannel* rest_ = nullptr;
  std::string head_;
  std::string piece_;
  std::uint64_t piece_offset_ = kHeadBytes;  // of piece_ in the stream
  std::uint64_t bytes_ = 0;
};

}  // namespace fantail
