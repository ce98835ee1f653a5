// Jobs that workers die of. All jobs that a worker held when it died become suspects; one that keeps
// appearing there is run alone on a worker, so that a death is its own, and is given up when that happens.
#include <algorithm>

#include "ventilator/dispatcher.h"

namespace fantail {

namespace {

constexpr std::uint32_t kAloneAfterDeaths = 2;

}  // namespace

bool Dispatcher::is_suspect(JobId job) const {
  if (policy_.deaths_max == 0) return false;
  const auto deaths = deaths_.find(job);
  if (deaths == deaths_.end()) return false;
  return deaths->second.total >= std::clamp(policy_.deaths_max - 1, 1U, kAloneAfterDeaths);
}

void Dispatcher::record_deaths(JobSpan jobs, bool alone, Instant now, DispatchOutbox& out) {
  out.record_deaths({jobs}, alone);
  for (JobId job = jobs.first; job < jobs.end; ++job) {
    Deaths& deaths = deaths_[job];
    ++deaths.total;
    if (alone) ++deaths.alone;
    if (deaths.alone == 0 || deaths.total < policy_.deaths_max) continue;
    quarantined_.insert(job);
    quarantined_again_.at_once();
    out.on_trouble("job " + std::to_string(job) + " is quarantined: " + std::to_string(deaths.total) +
                   " workers died while they held it, the last one alone with it");
  }
  propose_quarantined(now, out);
}

// Again and again, until the sink's log names them.
void Dispatcher::propose_quarantined(Instant now, DispatchOutbox& out) {
  if (!quarantined_.empty() && sink_opened_ && quarantined_again_.due(now))
    out.propose(quarantined_.spans(), Verdict::kQuarantined);
}

// One worker is set aside for suspects: it finishes what it holds, then gets them one by one. So does any
// other that has nothing else to do.
void Dispatcher::dispatch_suspects(Instant now, DispatchOutbox& out) {
  const bool only_suspects = pending() == suspects_.size();
  auto aside = workers_.end();
  for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
    Worker& each = worker->second;
    const bool usable = each.open && !each.draining && !each.blocked;
    if (suspects_.empty() || !usable) {
      if (each.outstanding() == 0) each.alone = false;
    } else if (each.alone || (only_suspects && each.outstanding() == 0)) {
      each.alone = true;
      aside = worker;
      send_suspect(worker, now, out);
    } else if (aside == workers_.end() ||
               (!aside->second.alone && each.outstanding() < aside->second.outstanding())) {
      aside = worker;
    }
  }
  if (suspects_.empty() || aside == workers_.end() || aside->second.alone) return;
  aside->second.alone = true;
  send_suspect(aside, now, out);
}

void Dispatcher::send_suspect(Workers::iterator worker, Instant now, DispatchOutbox& out) {
  // Also what it has finished must be known as done, or a death would be blamed on more than one job.
  if (worker->second.outstanding() > 0 || !leases_.of(worker->first).empty() || room(now) == 0) return;
  const std::optional<JobId> job = take_suspect(now, out);
  if (!job) return;
  LaneBatch batch;
  batch.jobs = {{*job, *job + 1}};
  send(worker, std::move(batch), now, out);
}

// The first one whose host allows it.
std::optional<JobId> Dispatcher::take_suspect(Instant now, DispatchOutbox& out) {
  for (const JobSpan& span : suspects_.spans()) {
    for (JobId job = span.first; job < span.end; ++job) {
      if (policy_.hosts.limits() && !hosts_.permit(job, out.host_of(job), now)) continue;
      suspects_.erase(job);
      return job;
    }
  }
  return std::nullopt;
}

}  // namespace fantail
