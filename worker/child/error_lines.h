// What a process writes to its standard error, on its way to this process's own: in whole lines, so that
// those of several processes do not mix. The last line is kept: it mostly says why the process ended. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fantail {

class ErrorLines {
 public:
  static constexpr std::size_t kHeldBytesMax = std::size_t{64} << 10;
  static constexpr std::size_t kLastLineBytesMax = 500;

  // What may go on of the bytes and those before: whole lines, or what is too long to be held.
  std::string take(std::string_view bytes);
  // What is left when nothing more comes, as a line.
  std::string take_rest();
  // The last one that was not blank, so far as it is whole; its beginning where it is long.
  const std::string& last_line() const { return last_line_; }

 private:
  void remember(std::string_view lines);

  std::string held_;  // the beginning of a line
  std::string last_line_;
};

}  // namespace fantail
