#include "pipeline/number.h"

#include <cstddef>

namespace fantail {

std::string format_count(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string format_items(std::uint64_t count, std::string_view singular, std::string_view plural) {
  return format_count(count).append(" ").append(count == 1 ? singular : plural);
}

}  // namespace fantail
