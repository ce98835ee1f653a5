// Where rows and the report are written: a file, a pipe or standard output ("-"). What goes wrong comes back
// as a sentence for people. Requires: SIGPIPE is ignored, so that a reader who left is an error like any
// other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sink/writers/file_descriptor.h"

namespace fantail {

// Collects up to 256 KiB before it writes. After an error it writes nothing more, and every call answers with
// that error.
class OutputFile {
 public:
  // An existing file is emptied; one that is named by its descriptor (/dev/stdout, /dev/fd/3) is not.
  static std::variant<OutputFile, std::string> open(const std::string& path);

  OutputFile(OutputFile&&) = default;
  OutputFile& operator=(OutputFile&& other);  // writes what is left, too
  ~OutputFile();                              // writes what is left, without an answer

  std::optional<std::string> append(std::string_view bytes);
  std::optional<std::string> flush();
  // Writes everything and waits until a regular file is on its storage; pipes and terminals have none.
  std::optional<std::string> sync();
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
  std::optional<std::string> error_;
};

// Replaces the file as a whole: whoever reads it sees the old content or the new one. Pipes, devices and "-"
// are written directly. The answer is an error.
std::optional<std::string> write_file_atomically(const std::string& path, std::string_view content);

}  // namespace fantail
