// Lines that had to leave memory, in a temporary file without a name that is made when the first one comes. A
// line is found again by its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/app/file_descriptor.h"

namespace fantail {

class SpillFile {
 public:
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };

  explicit SpillFile(std::string directory) : directory_(std::move(directory)) {}

  // The answers are errors; after one, nothing was added and nothing appended.
  std::optional<std::string> write(std::string_view line, Place& place);
  std::optional<std::string> read(Place place, std::string& out) const;
  void rewind();  // forgets all lines
  bool is_open() const { return file_.is_open(); }

 private:
  std::optional<std::string> open();
  std::string error_sentence(std::string_view verb, int error_number) const;

  std::string directory_;
  FileDescriptor file_;
  std::uint64_t end_ = 0;
};

}  // namespace fantail
