#include "sink/writers/ordered_rows.h"

#include <limits>

namespace fantail {

std::optional<std::string> OrderedRows::add(std::uint64_t job, std::string_view line, std::string& out) {
  if (job < next_ || in_memory_.contains(job)) return std::nullopt;
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
  return in_memory_.contains(next_) || (!spilled_.empty() && spilled_.top().job == next_);
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
  spilled_.push({job, place});
  return std::nullopt;
}

std::optional<std::string> OrderedRows::emit_up_to(std::size_t size, std::string& out) {
  while (out.size() < size) {
    if (const auto kept = in_memory_.find(next_); kept != in_memory_.end()) {
      out += kept->second;
      bytes_in_memory_ -= kept->second.size();
      in_memory_.erase(kept);
    } else if (!spilled_.empty() && spilled_.top().job == next_) {
      if (auto error = spill_.read(spilled_.top().place, out)) return error;
    } else {
      break;
    }
    ++next_;
    pass_skipped();
  }
  return std::nullopt;
}

void OrderedRows::pass_skipped() {
  // Ranges of the set do not touch: after one of them comes a job that is not in it.
  while (!skipped_.empty()) {
    if (skipped_.erase(JobSpan{0, next_}) > 0) continue;
    if (!skipped_.contains(next_)) break;
    const JobSpan passed = skipped_.take_first(std::numeric_limits<std::uint64_t>::max());
    next_ = passed.end;
  }
  forget_spilled();
}

// What was emitted, and second lines of its job, which a heap cannot find when they come.
void OrderedRows::forget_spilled() {
  if (spilled_.empty()) return;
  while (!spilled_.empty() && spilled_.top().job < next_)
    spilled_.pop();
  // Nothing in the file is wanted any more: it starts again from its beginning.
  if (spilled_.empty()) spill_.rewind();
}

}  // namespace fantail
