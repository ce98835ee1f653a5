// Bytes that come in pieces, taken out by the line. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fantail {

class LineBuffer {
 public:
  void append(std::string_view bytes) { bytes_ += bytes; }
  // The first line, without its newline. Empty: none is whole yet. A byte is looked at once.
  std::optional<std::string> take_line() {
    const std::size_t end = bytes_.find('\n', searched_);
    if (end == std::string::npos) {
      searched_ = bytes_.size();
      return std::nullopt;
    }
    std::string rest = bytes_.substr(end + 1);
    bytes_.resize(end);
    searched_ = 0;
    return std::exchange(bytes_, std::move(rest));
  }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t searched_ = 0;  // no newline before it
};

}  // namespace fantail
