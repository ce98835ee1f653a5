#include "pipeline/rate.h"

#include <charconv>

namespace fantail {

namespace {

constexpr double kMost = 1e9;

}  // namespace

std::optional<double> parse_rate(std::string_view text) {
  double divisor = 1;
  if (text.size() > 2 && text[text.size() - 2] == '/') {
    switch (text.back()) {
      case 's':
        break;
      case 'm':
        divisor = 60;
        break;
      case 'h':
        divisor = 3600;
        break;
      default:
        return std::nullopt;
    }
    text.remove_suffix(2);
  }
  double count = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(count > 0) || count > kMost)
    return std::nullopt;
  return count / divisor;
}

}  // namespace fantail
