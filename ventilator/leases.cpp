#include "ventilator/leases.h"

#include <algorithm>
#include <iterator>

namespace fantail {

void Leases::add(const Lease& lease) {
  leases_.emplace(lease.jobs.first, lease);
  jobs_ += lease.jobs.size();
}

std::vector<Lease> Leases::take(JobSpan span) {
  std::vector<Lease> taken;
  if (span.first >= span.end) return taken;
  auto entry = leases_.upper_bound(span.first);
  if (entry != leases_.begin() && std::prev(entry)->second.jobs.end > span.first) --entry;
  while (entry != leases_.end() && entry->first < span.end) {
    const Lease lease = entry->second;
    entry = leases_.erase(entry);
    Lease part = lease;
    part.jobs = {std::max(lease.jobs.first, span.first), std::min(lease.jobs.end, span.end)};
    jobs_ -= part.jobs.size();
    taken.push_back(part);
    if (lease.jobs.first < part.jobs.first) {
      Lease before = lease;
      before.jobs.end = part.jobs.first;
      leases_.emplace(before.jobs.first, before);
    }
    if (lease.jobs.end > part.jobs.end) {
      Lease after = lease;
      after.jobs.first = part.jobs.end;
      entry = leases_.emplace(after.jobs.first, after).first;
    }
  }
  return taken;
}

WorkerId Leases::holder(JobId job) const {
  auto entry = leases_.upper_bound(job);
  if (entry == leases_.begin()) return {};
  --entry;
  return job < entry->second.jobs.end ? entry->second.worker : WorkerId{};
}

std::vector<Lease> Leases::of(const WorkerId& worker) const {
  std::vector<Lease> held;
  for (const auto& [first, lease] : leases_) {
    if (lease.worker == worker) held.push_back(lease);
  }
  return held;
}

std::vector<Lease> Leases::all() const {
  std::vector<Lease> held;
  for (const auto& [first, lease] : leases_)
    held.push_back(lease);
  return held;
}

void Leases::hash(StateHash& hash) const {
  for (const auto& [first, lease] : leases_) {
    hash.add(first).add(lease.jobs.end).add(lease.worker).add(lease.sequence).add(lease.attempt);
  }
}

}  // namespace fantail
