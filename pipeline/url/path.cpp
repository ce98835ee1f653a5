#include "pipeline/url/path.h"

#include <cassert>

#include "pipeline/url/ascii.h"

namespace fantail {
namespace {

// The number of dots if the segment has nothing else, "%2e" being a dot too; 0 for all other segments.
int count_only_dots(std::string_view segment) {
  constexpr std::size_t kLongestDotSegment = 6;  // "%2e%2e"
  if (segment.size() > kLongestDotSegment) return 0;
  int dots = 0;
  while (!segment.empty()) {
    if (segment.front() == '.') {
      segment.remove_prefix(1);
    } else if (to_ascii_lower(segment.substr(0, 3)) == "%2e") {
      segment.remove_prefix(3);
    } else {
      return 0;
    }
    ++dots;
  }
  return dots;
}

}  // namespace

bool is_windows_drive_letter(std::string_view text) {
  return text.size() == 2 && is_ascii_alpha(text[0]) && (text[1] == ':' || text[1] == '|');
}

bool starts_with_windows_drive_letter(std::string_view text) {
  constexpr std::string_view kEnds = "/\\?#";
  return is_windows_drive_letter(text.substr(0, 2)) &&
         (text.size() == 2 || kEnds.find(text[2]) != std::string_view::npos);
}

std::string_view leading_drive(std::string_view path) {
  const bool has_drive = path.size() >= 3 && path[0] == '/' && is_ascii_alpha(path[1]) && path[2] == ':' &&
                         (path.size() == 3 || path[3] == '/');
  return has_drive ? path.substr(0, 3) : std::string_view();
}

void append_segment(std::string& path, std::string segment, bool is_file, bool is_last) {
  assert(segment.find('/') == std::string::npos);
  const int dots = count_only_dots(segment);
  if (dots == 1 || dots == 2) {
    if (dots == 2) remove_last_segment(path, is_file);
    if (is_last) path += '/';
    return;
  }
  if (is_file && path.empty() && is_windows_drive_letter(segment)) segment[1] = ':';
  path += '/';
  path += segment;
}

void remove_last_segment(std::string& path, bool is_file) {
  const bool is_lone_drive = path.size() == 3 && !leading_drive(path).empty();
  if (path.empty() || (is_file && is_lone_drive)) return;
  const std::size_t slash = path.rfind('/');
  path.resize(slash == std::string::npos ? 0 : slash);
}

}  // namespace fantail
