// The executor of a simulated worker: slots, and what comes of jobs in them.
#include <algorithm>
#include <utility>

#include "tests/sim/sim_worker.h"
#include "tests/sim/world.h"
#include "worker/completion.h"

namespace fantail::sim {

namespace {

using std::chrono::milliseconds;

}  // namespace

void SimWorker::set_run(const proto::RunSpec&) {
  queue_.clear();
  forget_running();
  completions_.clear();
  host_events_.clear();
}

bool SimWorker::has(JobId job) const {
  const auto waits = [job](const Queued& queued) { return queued.job.id == job; };
  return alive() && (running_.contains(job) || std::any_of(queue_.begin(), queue_.end(), waits));
}

void SimWorker::forget_running() {
  for (const auto& [job, running] : running_)
    world_.on_stopped(job);
  running_.clear();
}

void SimWorker::start(JobSlice jobs) {
  for (AcceptedJob& job : accepted_jobs(std::move(jobs)))
    queue_.push_back({std::move(job), world_.scheduler.now()});
  check_credit();
  fill_slots();
}

std::vector<JobId> SimWorker::drop_queued() {
  std::vector<JobId> dropped;
  for (const Queued& queued : queue_)
    dropped.push_back(queued.job.id);
  queue_.clear();
  return dropped;
}

void SimWorker::fill_slots() {
  while (!queue_.empty() && running_.size() < slots_) {
    Queued queued = std::move(queue_.front());
    queue_.pop_front();
    const JobId id = queued.job.id;
    Running& running = running_[id];
    running = {std::move(queued.job), queued.arrived, world_.scheduler.now(), StopReason::kNone, {},
               next_serial_++};
    world_.on_started(id);
    world_.note("starts job at worker", id, index_);
    run(running);
  }
}

void SimWorker::run(const Running& running) {
  const Plan& plan = world_.plan;
  const JobId job = running.job.id;
  const std::uint64_t serial = running.serial;
  if (plan.poison.contains(job)) {
    world_.scheduler.after(world_.random.between(Duration{0}, milliseconds(50)),
                           [this, job, serial, life = life()] {
                             const auto found = running_.find(job);
                             if (!alive(life) || found == running_.end() || found->second.serial != serial)
                               return;
                             world_.count(Fault::kPoison);
                             world_.kill(*this);
                           });
    return;
  }
  const Instant now = world_.scheduler.now();
  const Duration duration = plan.duration_at(index_, job);
  if (plan.asynchronous) push_event(proto::HostEvent::WRITTEN, job, plan.host_of(job));
  if (plan.hosts.limits() && mix(plan.seed ^ (job * 11 + 5)) % 1000 < plan.redirects) {
    world_.scheduler.at(now + duration / 2, [this, job, serial, life = life()] {
      const auto found = running_.find(job);
      if (!alive(life) || found == running_.end() || found->second.serial != serial) return;
      if (found->second.stop != StopReason::kNone) return;
      found->second.wants = world_.plan.host_of(job + 1);
      world_.count(Fault::kPermitWanted);
      push_event(proto::HostEvent::WANTED, job, found->second.wants);
      wake();
    });
    return;
  }
  finish_at(job, serial, now + duration);
}

void SimWorker::finish_at(JobId job, std::uint64_t serial, Instant when) {
  world_.scheduler.at(when, [this, job, serial, life = life()] {
    if (!alive(life)) return;
    if (paused()) return finish_at(job, serial, paused_until() + milliseconds(1));
    finish(job, serial);
  });
}

void SimWorker::finish(JobId job, std::uint64_t serial) {
  const auto found = running_.find(job);
  if (found == running_.end() || found->second.serial != serial) return;
  const Running running = std::move(found->second);
  running_.erase(found);
  world_.on_stopped(job);
  const Instant now = world_.scheduler.now();
  Completion completion;
  completion.id = job;
  completion.input = running.job.input;
  completion.attempt = running.job.attempt;
  completion.queued = running.started - running.arrived;
  completion.duration = now - running.started;
  if (running.stop != StopReason::kNone) {
    completion.result = JobResult::stopped(running.stop);
  } else if (world_.plan.passing_at(job, completion.attempt)) {
    completion.result = JobResult::failed("timeout", "it fails for now");
    world_.count(Fault::kAttemptFailed);
  } else if (world_.plan.truth_of(job) == Status::kFailed) {
    completion.result = JobResult::failed("bad", "it fails every time");
  } else {
    completion.result = JobResult::ok("payload");
  }
  if (world_.plan.asynchronous) {
    if (const auto pause = world_.plan.busy_at(job, completion.attempt)) {
      world_.count(Fault::kHostBusy);
      push_event(proto::HostEvent::BUSY, job, world_.plan.host_of(job));
      host_events_.back().set_retry_after_us(static_cast<std::uint64_t>(pause->count()));
    }
    push_event(proto::HostEvent::FINISHED, job, {});
  }
  append_to(completions_.emplace_back(), std::move(completion));
  wake();
}

void SimWorker::stop_running(StopReason reason) {
  for (auto& [id, running] : running_) {
    running.stop = reason;
    finish_at(id, running.serial,
              world_.scheduler.now() + world_.random.between(Duration{0}, milliseconds(50)));
  }
}

std::vector<JobId> SimWorker::cancel(const RangeSet& jobs) {
  std::vector<JobId> dropped;
  std::erase_if(queue_, [&](const Queued& queued) {
    if (!jobs.contains(queued.job.id)) return false;
    dropped.push_back(queued.job.id);
    return true;
  });
  for (auto& [id, running] : running_) {
    if (!jobs.contains(id) || running.stop != StopReason::kNone) continue;
    running.stop = StopReason::kCancelled;
    finish_at(id, running.serial,
              world_.scheduler.now() + world_.random.between(Duration{0}, milliseconds(50)));
  }
  return dropped;
}

void SimWorker::permit(JobId job, const std::string& host) {
  const auto running = running_.find(job);
  if (running == running_.end()) {
    push_event(proto::HostEvent::FINISHED, job, {});  // it ended while it waited: the permit goes back
    return wake();
  }
  if (running->second.wants != host) return;
  running->second.wants.clear();
  push_event(proto::HostEvent::WRITTEN, job, host);
  finish_at(job, running->second.serial, world_.scheduler.now() + world_.plan.duration_at(index_, job) / 2);
}

void SimWorker::push_event(proto::HostEvent::Type type, JobId job, const std::string& host) {
  world_.note("host event of job: type", job, static_cast<std::uint64_t>(type));
  if (!host.empty()) world_.note_text("host", host);
  proto::HostEvent event;
  event.set_type(type);
  event.set_job(job);
  event.set_host(host);
  host_events_.push_back(std::move(event));
}

}  // namespace fantail::sim
