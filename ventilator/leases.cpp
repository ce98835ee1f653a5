#include "ventilator/leases.h"

#include <algorithm>
#include <iterator>

namespace fantail {

void Leases::put(const Lease& lease) {
  leases_.emplace(lease.jobs.first, lease);
  firsts_[lease.worker].insert(lease.jobs.first);
}

void Leases::add(const Lease& lease) {
  put(lease);
  jobs_ += lease.jobs.size();
}

std::vector<Lease> Leases::take(JobSpan span) {
  std::vector<Lease> taken;
  if (span.first >= span.end) return taken;
  auto entry = leases_.upper_bound(span.first);
  if (entry != leases_.begin() && std::prev(entry)->second.jobs.end > span.first) --entry;
  while (entry != leases_.end() && entry->first < span.end) {
    const Lease lease = std::move(entry->second);
    entry = leases_.erase(entry);
    const auto firsts = firsts_.find(lease.worker);
    firsts->second.erase(lease.jobs.first);
    if (firsts->second.empty()) firsts_.erase(firsts);
    Lease part = lease;
    part.jobs = {std::max(lease.jobs.first, span.first), std::min(lease.jobs.end, span.end)};
    jobs_ -= part.jobs.size();
    if (lease.jobs.first < part.jobs.first) {
      Lease before = lease;
      before.jobs.end = part.jobs.first;
      put(before);
    }
    if (lease.jobs.end > part.jobs.end) {
      Lease after = lease;
      after.jobs.first = part.jobs.end;
      put(after);
      entry = leases_.end();  // the span ends here
    }
    taken.push_back(std::move(part));
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
  const auto firsts = firsts_.find(worker);
  if (firsts == firsts_.end()) return held;
  held.reserve(firsts->second.size());
  for (const JobId first : firsts->second)
    held.push_back(leases_.at(first));
  return held;
}

std::vector<Lease> Leases::within(JobSpan span) const {
  std::vector<Lease> held;
  auto entry = leases_.upper_bound(span.first);
  if (entry != leases_.begin() && std::prev(entry)->second.jobs.end > span.first) --entry;
  for (; entry != leases_.end() && entry->first < span.end; ++entry)
    held.push_back(entry->second);
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
    hash.add(first).add(lease.jobs.end).add_name(lease.worker).add(lease.sequence).add_figure(lease.attempt);
    hash.add_figure(lease.at);
  }
}

}  // namespace fantail
