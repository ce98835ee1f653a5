#include "ventilator/hedging.h"

#include <algorithm>
#include <utility>

namespace fantail {

namespace {

// The ventilator hears of the end of a job a little later.
constexpr Duration kLeastPatience = std::chrono::milliseconds(5);

std::uint64_t microseconds_of(Duration duration) {
  return static_cast<std::uint64_t>(std::max(duration, Duration{0}).count());
}

Duration since(Instant then, Instant now) {
  return std::max(now - then, Duration{0});
}

}  // namespace

void Hedging::learn(const proto::RunLog& log) {
  if (!on_) return;
  // A sink that began anew has to see as many jobs once more; what is known until then stays true.
  const Duration straggler = policy_.percent() == 0 ? duration_of(log.p95_us())
                                                    : duration_of(log.median_us()) * policy_.percent() / 100;
  if (straggler > Duration{0}) straggler_ = std::max(straggler, kLeastPatience);
  work_ = duration_of(log.work_us());
  former_ = log.former_hedged();
}

std::optional<Duration> Hedging::patience() const {
  if (straggler_ == Duration{0}) return std::nullopt;
  return straggler_;
}

Duration Hedging::budget() const {
  return work_ * policy_.limit_percent() / 100;
}

// Nobody knows how long a copy will run: as long as what is no straggler is what it costs at least.
Duration Hedging::spent(Instant now) const {
  Duration spent = extra_ + duration_of(former_.extra_us());
  for (const auto& [job, copy] : copies_) {
    if (copy.held) spent += std::max(since(copy.lease.at, now), straggler_);
  }
  for (const auto& [worker, jobs] : losers_) {
    for (const auto& [job, loser] : jobs) {
      if (loser.copy && loser.works) spent += since(loser.at, now);
    }
  }
  return spent;
}

bool Hedging::affords_copy(Instant now) const {
  if (made_ + former_.copies() == 0) return true;
  return spent(now) + straggler_ <= budget();
}

std::optional<JobId> Hedging::too_expensive(Instant now) const {
  if (made_ + former_.copies() <= 1 || !any_held() || spent(now) <= budget()) return std::nullopt;
  // Only what has run for longer than was reckoned with grows.
  const auto oldest = std::min_element(copies_.begin(), copies_.end(), [](const auto& a, const auto& b) {
    return std::pair(!a.second.held, a.second.lease.at) < std::pair(!b.second.held, b.second.lease.at);
  });
  if (since(oldest->second.lease.at, now) <= straggler_) return std::nullopt;
  return oldest->first;
}

void Hedging::add(const Lease& lease) {
  adopt(lease);
  ++made_;
}

void Hedging::adopt(const Lease& lease) {
  copies_[lease.jobs.first] = {lease};
}

const Hedging::Copy* Hedging::find(JobId job) const {
  const auto copy = copies_.find(job);
  return copy == copies_.end() ? nullptr : &copy->second;
}

std::vector<JobId> Hedging::within(JobSpan jobs) const {
  std::vector<JobId> found;
  for (auto copy = copies_.lower_bound(jobs.first); copy != copies_.end() && copy->first < jobs.end; ++copy)
    found.push_back(copy->first);
  return found;
}

std::vector<Lease> Hedging::held_by(const WorkerId& worker) const {
  std::vector<Lease> held;
  for (const auto& [job, copy] : copies_) {
    if (copy.held && copy.lease.worker == worker) held.push_back(copy.lease);
  }
  return held;
}

bool Hedging::any_held() const {
  return std::any_of(copies_.begin(), copies_.end(), [](const auto& each) { return each.second.held; });
}

void Hedging::end(JobId job, Instant now, Duration worked) {
  const auto copy = copies_.find(job);
  if (copy == copies_.end() || !copy->second.held) return;
  copy->second.held = false;
  extra_ += since(copy->second.lease.at, now);
  lost_ += worked;
}

std::optional<Lease> Hedging::promote(JobId job, Instant now) {
  const auto copy = copies_.find(job);
  if (copy == copies_.end()) return std::nullopt;
  if (!copy->second.held) {
    copies_.erase(copy);
    return std::nullopt;
  }
  extra_ += since(copy->second.lease.at, now);
  copy->second.held = false;
  copy->second.promoted = true;
  return copy->second.lease;
}

void Hedging::take_back(JobId job) {
  const auto copy = copies_.find(job);
  if (copy == copies_.end() || !copy->second.held) return;
  copy->second.held = false;
  tell(copy->second.lease, true, true);
}

void Hedging::discard(const Lease& lease) {
  tell(lease, true, false);
}

void Hedging::on_done(JobId job, const std::optional<Lease>& lease, bool by_copy, Instant now) {
  if (by_copy) ++won_;
  const auto found = copies_.extract(job);
  if (!found) return;
  const Copy& copy = found.mapped();
  if (copy.promoted) return;
  if (by_copy && copy.held) extra_ += since(copy.lease.at, now);
  // Who has won is told as well: a former life's copies may be taken for what they are not.
  if (copy.held) tell(copy.lease, true, !by_copy);
  if (lease) tell(*lease, false, by_copy);
}

// ---- workers that hold what nobody wants any more

void Hedging::tell(const Lease& lease, bool copy, bool works) {
  losers_[lease.worker].emplace(lease.jobs.first, Loser{lease.sequence, lease.at, copy, works});
  untold_.insert(lease.worker);
}

RangeSet Hedging::discarded_by(const WorkerId& worker) const {
  RangeSet discarded;
  const auto jobs = losers_.find(worker);
  if (jobs == losers_.end()) return discarded;
  for (const auto& [job, loser] : jobs->second)
    discarded.insert(job);
  return discarded;
}

std::set<WorkerId> Hedging::take_untold() {
  return std::exchange(untold_, {});
}

void Hedging::reconcile(const WorkerId& worker, const RangeSet& holding, std::uint64_t received_sequence,
                        Instant now) {
  for (const Lease& lease : held_by(worker)) {
    if (lease.sequence <= received_sequence && !holding.contains(lease.jobs.first))
      end(lease.jobs.first, now);
  }
  const auto jobs = losers_.find(worker);
  if (jobs == losers_.end()) return;
  std::erase_if(jobs->second, [&](const auto& each) {
    const auto& [job, loser] = each;
    if (loser.sequence > received_sequence || holding.contains(job)) return false;
    settle(loser, now);
    return true;
  });
  if (jobs->second.empty()) losers_.erase(jobs);
}

void Hedging::on_new_lane(const WorkerId& worker) {
  for (auto& [job, copy] : copies_) {
    if (copy.lease.worker == worker) copy.lease.sequence = 0;
  }
  const auto jobs = losers_.find(worker);
  if (jobs == losers_.end()) return;
  for (auto& [job, loser] : jobs->second)
    loser.sequence = 0;
}

void Hedging::on_gone(const WorkerId& worker, Instant now) {
  reconcile(worker, {}, UINT64_MAX, now);
  untold_.erase(worker);
}

void Hedging::settle(const Loser& loser, Instant now) {
  if (!loser.works) return;
  lost_ += since(loser.at, now);
  if (loser.copy) extra_ += since(loser.at, now);
}

void Hedging::put(Instant now, proto::Hedged& facts) const {
  Hedging until = *this;
  for (const auto& [worker, jobs] : losers_) {
    for (const auto& [job, loser] : jobs)
      until.settle(loser, now);
  }
  for (const auto& [job, copy] : copies_)
    until.end(job, now);
  facts.set_copies(made_);
  facts.set_won(won_);
  facts.set_extra_us(microseconds_of(until.extra_));
  facts.set_lost_us(microseconds_of(until.lost_));
}

void Hedging::hash(StateHash& hash) const {
  if (!on_) return;
  hash.add_figure(microseconds_of(straggler_)).add_figure(microseconds_of(work_));
  hash.add_figure(made_).add_figure(won_);
  hash.add_figure(microseconds_of(extra_)).add_figure(microseconds_of(lost_));
  for (const auto& [job, copy] : copies_) {
    const Lease& lease = copy.lease;
    hash.add(job).add_name(lease.worker).add(lease.sequence).add_figure(lease.at).add(copy.held ? 1 : 0);
  }
  for (const auto& [worker, jobs] : losers_) {
    hash.add_name(worker);
    for (const auto& [job, loser] : jobs)
      hash.add(job).add(loser.sequence).add_figure(loser.at);
  }
}

}  // namespace fantail
