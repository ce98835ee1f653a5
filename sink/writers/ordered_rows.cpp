#include "sink/writers/ordered_rows.h"

#include <algorithm>
#include <iterator>

namespace fantail {

namespace {

// A node of the map, and what the heap adds to it and to the line.
constexpr std::size_t kHeldOverhead = 112;

std::size_t cost(std::string_view line) {
  return line.size() + kHeldOverhead;
}

}  // namespace

void OrderedRows::add(JobId job, std::string_view line, const Write& write) {
  if (job == next_) {
    write(line);
    ++next_;
    write_due(write);
  } else if (job > next_ && !held_.contains(job) && make_room(job, cost(line))) {
    held_.emplace(job, line);
    held_bytes_ += cost(line);
  }
}

void OrderedRows::pass(JobId job, const Write& write) {
  while (next_ < job) {
    next_ = std::min(job, gap().end);
    write_due(write);
  }
}

// False: this row is itself the one that is due last.
bool OrderedRows::make_room(JobId job, std::size_t bytes) {
  while (held_bytes_ + bytes > bytes_max_) {
    if (held_.empty() || held_.rbegin()->first < job) return false;
    const auto last = std::prev(held_.end());
    held_bytes_ -= cost(last->second);
    held_.erase(last);
  }
  return true;
}

void OrderedRows::write_due(const Write& write) {
  while (!held_.empty() && held_.begin()->first == next_) {
    write(held_.begin()->second);
    held_bytes_ -= cost(held_.begin()->second);
    held_.erase(held_.begin());
    ++next_;
  }
}

}  // namespace fantail
