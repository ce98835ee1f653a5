// Where rows and the report are written: a file, a pipe or standard output ("-"). What goes wrong comes back
// as a sentence for people. Requires: SIGPIPE is ignored, so that a reader who left is an error like any
// other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "pipeline/app/file_descriptor.h"

namespace fantail {

// Collects up to 256 KiB before it writes. After an error it writes nothing more, and every call answers with
// that error; except where there is no space on the storage of a regular file: then what was written of the
// last piece is cut off again, everything is kept, and flush() may be called until there is.
class OutputFile {
 public:
  // What an existing file holds stays until start_at().
  static std::variant<OutputFile, std::string> open(const std::string& path,
                                                    std::string_view flag = "--output");
  // Keeps the first `length` bytes of a regular file of its own, and goes on behind them. Anything else
  // cannot be taken back: pipes, standard output and files named by their descriptor (/dev/stdout, /dev/fd/3)
  // go on where they are. Requires: nothing was appended yet.
  std::optional<std::string> start_at(std::uint64_t length);

  OutputFile(OutputFile&&) = default;
  OutputFile& operator=(OutputFile&& other) noexcept;  // writes what is left, too
  ~OutputFile();                                       // writes what is left, without an answer

  std::optional<std::string> append(std::string_view bytes);
  std::optional<std::string> flush();
  // Writes everything and waits until a regular file is on its storage; pipes and terminals have none.
  std::optional<std::string> sync();
  bool can_be_cut() const { return regular_; }
  bool lacks_space() const { return lacks_space_; }  // as of the last flush()
  std::uint64_t length() const { return length_; }   // bytes written, not counting what is collected
  // Does what sync() does, and closes. Standard output stays open.
  std::optional<std::string> close();

 private:
  OutputFile(FileDescriptor owned, int descriptor, std::string name);
  std::optional<std::string> write(std::string_view bytes);
  std::optional<std::string> fail(int error_number);

  FileDescriptor owned_;  // closed where it is standard output
  int descriptor_;
  std::string name_;  // as errors call it
  std::string buffer_;
  bool regular_ = false;  // a file of its own
  bool lacks_space_ = false;
  std::uint64_t length_ = 0;
  std::optional<std::string> error_;
};

// Replaces the file as a whole: whoever reads it sees the old content or the new one. Pipes, devices and "-"
// are written directly. The answer is an error.
std::optional<std::string> write_file_atomically(const std::string& path, std::string_view content);

}  // namespace fantail
