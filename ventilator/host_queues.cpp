#include "ventilator/host_queues.h"

#include <algorithm>

namespace fantail {

namespace {

constexpr Duration kBusyFirst = std::chrono::milliseconds(250);
constexpr Duration kBusyMost = std::chrono::seconds(4);

}  // namespace

HostQueues::HostIndex HostQueues::index_of(const std::string& host) {
  const auto [entry, added] = indexes_.try_emplace(host, static_cast<HostIndex>(hosts_.size()));
  if (added) hosts_.push_back(Host{.name = host, .queue = {}, .wanted = {}});
  return entry->second;
}

void HostQueues::unfile(HostIndex index) {
  const Host& host = hosts_[index];
  ready_.erase({host.next, host.turn, index});
  granting_.erase({host.next, host.turn, index});
}

void HostQueues::settle(HostIndex index) {
  const Host& host = hosts_[index];
  if (policy_.per_host > 0 && host.in_flight >= policy_.per_host) return;
  // With a delay the next request's time is known only once the last one was written.
  if (policy_.delay.count() > 0 && host.unwritten > 0) return;
  if (!host.wanted.empty()) {
    granting_.insert({host.next, host.turn, index});
  } else if (!host.queue.empty()) {
    ready_.insert({host.next, host.turn, index});
  }
}

JobId HostQueues::Queue::pop_front() {
  const auto level = levels_.begin();
  const JobId job = level->second.front();
  level->second.pop_front();
  if (level->second.empty()) levels_.erase(level);
  return job;
}

bool HostQueues::Queue::erase(JobId job) {
  for (auto level = levels_.begin(); level != levels_.end(); ++level) {
    if (std::erase(level->second, job) == 0) continue;
    if (level->second.empty()) levels_.erase(level);
    return true;
  }
  return false;
}

std::vector<JobId> HostQueues::Queue::jobs() const {
  std::vector<JobId> jobs;
  for (const auto& [priority, level] : levels_)
    jobs.insert(jobs.end(), level.begin(), level.end());
  return jobs;
}

void HostQueues::add(JobId job, const std::string& host, std::int32_t priority) {
  const HostIndex index = index_of(host);
  unfile(index);
  hosts_[index].queue.push_back(job, priority);
  ++waiting_;
  settle(index);
}

void HostQueues::requeue(JobId job, const std::string& host, Instant now, std::int32_t priority) {
  release(job, now);
  const HostIndex index = index_of(host);
  unfile(index);
  hosts_[index].queue.push_front(job, priority);
  ++waiting_;
  settle(index);
}

bool HostQueues::adopt(JobId job, const std::string& host) {
  const HostIndex index = index_of(host);
  unfile(index);
  const bool waits = hosts_[index].queue.erase(job);
  if (waits) {
    --waiting_;
    hold(job, index);
    // When its request was written is not known, but a request of its own does not hold others up any more.
    holders_[job].written = true;
    --hosts_[index].unwritten;
  }
  settle(index);
  return waits;
}

bool HostQueues::withdraw(JobId job, const std::string& host) {
  const HostIndex index = index_of(host);
  unfile(index);
  const bool waits = hosts_[index].queue.erase(job);
  if (waits) --waiting_;
  settle(index);
  return waits;
}

void HostQueues::hold(JobId job, HostIndex index) {
  Host& host = hosts_[index];
  ++host.in_flight;
  ++host.unwritten;
  host.turn = ++turns_;
  holders_[job] = Holder{.host = index};
}

// A job has one permit at most: two workers may run it, and one of them ask for another host.
void HostQueues::hold_only(JobId job, HostIndex index, Instant now) {
  release(job, now);
  unfile(index);
  hold(job, index);
  settle(index);
}

std::optional<JobId> HostQueues::take(Instant now) {
  if (ready_.empty() || std::get<Instant>(*ready_.begin()) > now) return std::nullopt;
  const HostIndex index = std::get<HostIndex>(*ready_.begin());
  unfile(index);
  const JobId job = hosts_[index].queue.pop_front();
  --waiting_;
  hold_only(job, index, now);
  return job;
}

bool HostQueues::permit(JobId job, const std::string& name, Instant now) {
  const HostIndex index = index_of(name);
  const Host& host = hosts_[index];
  if (policy_.per_host > 0 && host.in_flight >= policy_.per_host) return false;
  if (policy_.delay.count() > 0 && host.unwritten > 0) return false;
  if (host.next > now || !host.wanted.empty()) return false;
  hold_only(job, index, now);
  return true;
}

std::optional<HostQueues::Grant> HostQueues::take_grant(Instant now) {
  if (granting_.empty() || std::get<Instant>(*granting_.begin()) > now) return std::nullopt;
  const HostIndex index = std::get<HostIndex>(*granting_.begin());
  unfile(index);
  const JobId job = hosts_[index].wanted.front();
  hosts_[index].wanted.pop_front();
  wanting_.erase(job);
  hold_only(job, index, now);
  return Grant{job, hosts_[index].name};
}

void HostQueues::on_written(JobId job, const std::string& host, Instant now) {
  const auto holder = holders_.find(job);
  if (holder == holders_.end() || holder->second.written) return;
  const HostIndex index = holder->second.host;
  if (hosts_[index].name != host) return;
  unfile(index);
  holder->second.written = true;
  --hosts_[index].unwritten;
  hosts_[index].next = std::max(hosts_[index].next, now + policy_.delay);
  settle(index);
}

bool HostQueues::on_wanted(JobId job, const std::string& host, Instant now) {
  if (const auto wanting = wanting_.find(job); wanting != wanting_.end()) {
    if (hosts_[wanting->second].name == host) return true;  // asks again
  }
  const auto holder = holders_.find(job);
  if (holder != holders_.end() && !holder->second.written && hosts_[holder->second.host].name == host)
    return false;
  release(job, now);
  const HostIndex index = index_of(host);
  unfile(index);
  hosts_[index].wanted.push_back(job);
  wanting_[job] = index;
  settle(index);
  return true;
}

void HostQueues::on_busy(JobId job, const std::string& name, Duration asked, Instant now) {
  const auto found = indexes_.find(name);
  if (found == indexes_.end()) return;
  const HostIndex index = found->second;
  const auto holder = holders_.find(job);
  if (holder != holders_.end() && holder->second.host == index) holder->second.busy = true;
  Host& host = hosts_[index];
  // Requests that were under way when it said so first tell nothing new.
  if (asked.count() == 0 && host.next > now && host.busy_for.count() > 0) return;
  unfile(index);
  host.busy_for = asked.count() > 0 ? kBusyFirst : std::clamp(2 * host.busy_for, kBusyFirst, kBusyMost);
  host.next = std::max(host.next, now + std::max(asked, host.busy_for));
  settle(index);
}

void HostQueues::on_finished(JobId job, Instant now) {
  const auto holder = holders_.find(job);
  if (holder != holders_.end() && holder->second.written && !holder->second.busy)
    hosts_[holder->second.host].busy_for = Duration{0};
  release(job, now);
}

void HostQueues::release(JobId job, Instant now) {
  if (const auto wanting = wanting_.find(job); wanting != wanting_.end()) {
    const HostIndex index = wanting->second;
    unfile(index);
    std::erase(hosts_[index].wanted, job);
    wanting_.erase(wanting);
    settle(index);
  }
  const auto holder = holders_.find(job);
  if (holder == holders_.end()) return;
  const HostIndex index = holder->second.host;
  unfile(index);
  Host& host = hosts_[index];
  --host.in_flight;
  if (!holder->second.written) {
    --host.unwritten;
    // Whether the request went out is not known: the delay counts from now, to be safe.
    host.next = std::max(host.next, now + policy_.delay);
  }
  holders_.erase(holder);
  settle(index);
}

RangeSet HostQueues::take_all() {
  RangeSet jobs;
  for (HostIndex index = 0; index < hosts_.size(); ++index) {
    unfile(index);
    while (!hosts_[index].queue.empty())
      jobs.insert(hosts_[index].queue.pop_front());
    settle(index);
  }
  waiting_ = 0;
  return jobs;
}

Instant HostQueues::next_wake() const {
  Instant wake = kNever;
  if (!ready_.empty()) wake = std::min(wake, std::get<Instant>(*ready_.begin()));
  if (!granting_.empty()) wake = std::min(wake, std::get<Instant>(*granting_.begin()));
  return wake;
}

void HostQueues::hash(StateHash& hash) const {
  for (const Host& host : hosts_) {
    hash.add(host.name).add(host.in_flight).add(host.unwritten).add(host.next, policy_.delay).add(host.turn);
    hash.add(static_cast<std::uint64_t>(host.busy_for.count()));
    const std::vector<JobId> queue = host.queue.jobs();
    hash.add(queue.size()).add(host.wanted.size());
    for (const JobId job : queue)
      hash.add(job);
    for (const JobId job : host.wanted)
      hash.add(job);
  }
  hash.add(waiting_).add(turns_);
  for (const auto& [job, holder] : holders_)
    hash.add(job).add(holder.host).add(holder.written ? 1 : 0).add(holder.busy ? 1 : 0);
}

}  // namespace fantail
