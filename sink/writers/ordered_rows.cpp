#include "sink/writers/ordered_rows.h"

#include <limits>

namespace fantail {

std::optional<std::string> OrderedRows::add(std::uint64_t job, std::string_view line, std::string& out) {
  if (job < next_ || in_memory_.contains(job) || spilled_.contains(job)) return std::nullopt;
  const std::size_t end = out.size() + limits_.burst;
  if (job != next_) {
    if (auto error = keep(job, line)) return error;
  } else {
    out += line;
    ++next_;
    pass_skipped();
  }
  return emit_up_to(end, out);
}

std::optional<std::string> OrderedRows::skip(std::uint64_t first, std::uint64_t count, std::string& out) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t end = count > kMax - first ? kMax : first + count;
  if (first < end) skipped_.insert(JobSpan{first, end});
  pass_skipped();
  return emit(out);
}

bool OrderedRows::has_due() const {
  return in_memory_.contains(next_) || spilled_.contains(next_);
}

std::optional<std::string> OrderedRows::emit(std::string& out) {
  return emit_up_to(out.size() + limits_.burst, out);
}

std::optional<std::string> OrderedRows::keep(std::uint64_t job, std::string_view line) {
  if (in_memory_.size() < limits_.lines && line.size() <= limits_.bytes - bytes_in_memory_) {
    in_memory_.emplace(job, line);
    bytes_in_memory_ += line.size();
    return std::nullopt;
  }
  SpillFile::Place place;
  if (auto error = spill_.write(line, place)) return error;
  spilled_.emplace(job, place);
  return std::nullopt;
}

std::optional<std::string> OrderedRows::emit_up_to(std::size_t size, std::string& out) {
  while (out.size() < size) {
    if (const auto kept = in_memory_.find(next_); kept != in_memory_.end()) {
      out += kept->second;
      bytes_in_memory_ -= kept->second.size();
      in_memory_.erase(kept);
    } else if (const auto place = spilled_.find(next_); place != spilled_.end()) {
      if (auto error = spill_.read(place->second, out)) return error;
      spilled_.erase(place);
      // Nothing in it is wanted any more: the file starts again from its beginning.
      if (spilled_.empty()) spill_.rewind();
    } else {
      break;
    }
    ++next_;
    pass_skipped();
  }
  return std::nullopt;
}

void OrderedRows::pass_skipped() {
  if (skipped_.empty()) return;
  skipped_.erase(JobSpan{0, next_});
  // The ranges of a set do not touch: after one of them comes a job that has a row.
  if (skipped_.contains(next_)) next_ = skipped_.take_first(std::numeric_limits<std::uint64_t>::max()).end;
}

}  // namespace fantail
