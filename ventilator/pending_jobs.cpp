#include "ventilator/pending_jobs.h"

#include <algorithm>

namespace fantail {

void PendingJobs::set_priority(JobId job, std::int32_t priority) {
  if (priority != 0) priorities_[job] = priority;
}

std::int32_t PendingJobs::priority_of(JobId job) const {
  if (priorities_.empty()) return 0;
  const auto found = priorities_.find(job);
  return found == priorities_.end() ? 0 : found->second;
}

void PendingJobs::forget_priorities(JobSpan jobs) {
  if (priorities_.empty()) return;
  priorities_.erase(priorities_.lower_bound(jobs.first), priorities_.lower_bound(jobs.end));
}

// Stretches between jobs with a priority of their own stay whole.
void PendingJobs::insert(JobSpan jobs) {
  auto next = priorities_.lower_bound(jobs.first);
  while (jobs.first < jobs.end) {
    const bool named = next != priorities_.end() && next->first == jobs.first;
    JobSpan part{jobs.first, jobs.first + 1};
    if (!named) part.end = next == priorities_.end() ? jobs.end : std::min(jobs.end, next->first);
    size_ += levels_[named ? next->second : 0].insert(part);
    if (named) ++next;
    jobs.first = part.end;
  }
}

std::uint64_t PendingJobs::erase(JobSpan jobs) {
  std::uint64_t erased = 0;
  for (auto& [priority, level] : levels_)
    erased += level.erase(jobs);
  size_ -= erased;
  return erased;
}

void PendingJobs::clear() {
  levels_.clear();
  size_ = 0;
}

JobSpan PendingJobs::take_first(std::uint64_t limit) {
  for (auto& [priority, level] : levels_) {
    if (level.empty()) continue;
    const JobSpan taken = level.take_first(limit);
    size_ -= taken.size();
    return taken;
  }
  return {};
}

std::vector<JobSpan> PendingJobs::within(JobSpan jobs) const {
  std::vector<JobSpan> found;
  for (const auto& [priority, level] : levels_) {
    const std::vector<JobSpan> parts = level.within(jobs);
    found.insert(found.end(), parts.begin(), parts.end());
  }
  return found;
}

std::vector<JobSpan> PendingJobs::spans() const {
  return within({0, kJobIdsMax});
}

void PendingJobs::hash(StateHash& hash) const {
  for (const auto& [priority, level] : levels_) {
    if (!level.empty()) hash.add(static_cast<std::uint64_t>(priority)).add(level);
  }
}

}  // namespace fantail
