#include "worker/child/error_lines.h"

#include <utility>

namespace fantail {

namespace {

constexpr std::string_view kBlank = " \t\r\n\v\f";

}  // namespace

std::string ErrorLines::take(std::string_view bytes) {
  held_ += bytes;
  const std::size_t end = held_.rfind('\n');
  if (end == std::string::npos) {
    if (held_.size() <= kHeldBytesMax) return {};
    return take_rest();
  }
  std::string rest = held_.substr(end + 1);
  held_.resize(end + 1);
  remember(held_);
  return std::exchange(held_, std::move(rest));
}

std::string ErrorLines::take_rest() {
  if (held_.empty()) return {};
  remember(held_);
  return std::exchange(held_, {}) + '\n';
}

void ErrorLines::remember(std::string_view lines) {
  const std::size_t last = lines.find_last_not_of(kBlank);
  if (last == std::string_view::npos) return;
  lines = lines.substr(0, last + 1);
  lines.remove_prefix(lines.rfind('\n') + 1);  // npos + 1 is 0
  last_line_ = lines.substr(0, kLastLineBytesMax);
}

}  // namespace fantail
