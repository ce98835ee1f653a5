#include "ventilator/retry_queue.h"

#include <algorithm>

#include "pipeline/mix.h"

namespace fantail {

namespace {

constexpr Duration kMinute = std::chrono::minutes(1);

}  // namespace

Duration backoff(const BackoffPolicy& policy, const std::string& run_id, JobId job, std::uint32_t attempt) {
  const auto first = static_cast<std::uint64_t>(policy.first.count());
  const auto longest = static_cast<std::uint64_t>(policy.longest.count());
  const std::uint32_t doublings = std::min(attempt == 0 ? 0 : attempt - 1, 40U);
  const std::uint64_t most = first > (longest >> doublings) ? longest : first << doublings;
  std::uint64_t seed = mix(mix(job + 1) ^ attempt);
  for (const char byte : run_id)
    seed = mix(seed ^ static_cast<unsigned char>(byte));
  return Duration(static_cast<Duration::rep>(mix(seed) % (most + 1)));
}

Duration retry_after(std::uint64_t asked_us) {
  constexpr auto kMostUs = static_cast<std::uint64_t>(kRetryAfterMost.count());
  return Duration(static_cast<Duration::rep>(std::min(asked_us, kMostUs)));
}

void RetryQueue::add(JobId job, Instant at, const WorkerId& failed_at) {
  take({job, job + 1});
  waiting_[job] = {job, at, failed_at};
  order_.insert({at, job});
}

std::vector<JobId> RetryQueue::take(JobSpan jobs) {
  std::vector<JobId> taken;
  auto job = waiting_.lower_bound(jobs.first);
  while (job != waiting_.end() && job->first < jobs.end) {
    taken.push_back(job->first);
    order_.erase({job->second.at, job->first});
    job = waiting_.erase(job);
  }
  return taken;
}

std::vector<RetryQueue::Due> RetryQueue::due(Instant now, std::size_t limit) const {
  std::vector<Due> due;
  for (const auto& [at, job] : order_) {
    if (at > now || due.size() == limit) break;
    due.push_back(waiting_.at(job));
  }
  return due;
}

RangeSet RetryQueue::take_all() {
  RangeSet jobs;
  for (const auto& [job, due] : waiting_)
    jobs.insert(job);
  waiting_.clear();
  order_.clear();
  return jobs;
}

Instant RetryQueue::next_wake() const {
  return order_.empty() ? kNever : order_.begin()->first;
}

void RetryQueue::hash(StateHash& hash) const {
  hash.add(waiting_.size());
  for (const auto& [job, due] : waiting_)
    hash.add(job).add(due.at, kMinute).add(due.failed_at);
}

}  // namespace fantail
