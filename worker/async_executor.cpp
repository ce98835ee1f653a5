#include "worker/async_executor.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pipeline/net/poller.h"
#include "worker/completion.h"

namespace fantail {

namespace {

// How large a batch of results grows.
constexpr std::size_t kBatchBytes = 1 << 20;
// What a busy loop may keep to itself. More would leave slots empty for long.
constexpr std::size_t kEventsAtOnce = 16;
constexpr Duration kLongestDelay = std::chrono::milliseconds(1);

}  // namespace

AsyncExecutor::AsyncExecutor(std::uint32_t slots, std::uint32_t loops) : slots_(slots), allotted_(slots) {
  for (std::uint32_t i = 0; i < std::clamp(loops, 1U, slots); ++i)
    loops_.push_back(std::make_unique<Loop>(*this));
}

void AsyncExecutor::set_run(const proto::RunSpec& spec) {
  queue_.clear();
  running_.clear();
  tickets_.clear();
  timed_ = 0;
  hosts_have_limits_ = spec.kind().has_urls() && spec.kind().urls().permit_every_hop();
  for (const auto& loop : loops_)
    loop->http().set_kind(spec.kind());
}

void AsyncExecutor::start(JobSlice jobs) {
  const Instant now = steady_now();
  for (AcceptedJob& job : accepted_jobs(std::move(jobs)))
    queue_.push_back({std::move(job), now});
  fill_slots();
}

void AsyncExecutor::allot(std::uint32_t slots) {
  allotted_ = std::min(slots, slots_);
  fill_slots();
}

void AsyncExecutor::fill_slots() {
  if (queue_.empty()) return;
  std::vector<std::vector<AsyncJob>> jobs(loops_.size());
  std::vector<Event> defects;
  const Instant now = steady_now();
  while (!queue_.empty() && running_.size() < allotted_) {
    Queued queued = std::move(queue_.front());
    queue_.pop_front();
    AsyncJob job;
    const std::uint64_t ticket = job.ticket = next_ticket_++;
    job.input = queued.job.input;
    if (queued.job.time_left.count() > 0) {
      job.time_left = std::max(queued.arrived + queued.job.time_left - now, Duration{0});
    }
    tickets_[queued.job.id] = job.ticket;
    if (queued.job.timeout.count() > 0) ++timed_;
    const std::string& defect = queued.job.defect;
    if (defect.empty()) {
      jobs[job.ticket % loops_.size()].push_back(std::move(job));
    } else {
      defects.push_back(
          {proto::HostEvent::FINISHED, job.ticket, {}, JobResult::failed("invalid_input", defect), now});
    }
    running_.emplace(ticket, Running{std::move(queued.job), queued.arrived, now});
  }
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    if (!jobs[i].empty()) loops_[i]->http().submit(std::move(jobs[i]));
  }
  if (!defects.empty()) hand_over(defects);
}

std::vector<JobId> AsyncExecutor::drop_queued() {
  std::vector<JobId> dropped;
  for (const Queued& queued : queue_)
    dropped.push_back(queued.job.id);
  queue_.clear();
  return dropped;
}

void AsyncExecutor::stop_running(StopReason reason) {
  for (const auto& [ticket, running] : running_)
    loop_of(ticket).http().stop(ticket, reason);
}

std::vector<JobId> AsyncExecutor::cancel(const RangeSet& jobs) {
  std::vector<JobId> dropped;
  std::erase_if(queue_, [&](const Queued& queued) {
    if (!jobs.contains(queued.job.id)) return false;
    dropped.push_back(queued.job.id);
    return true;
  });
  for (const auto& [ticket, running] : running_) {
    if (jobs.contains(running.job.id)) loop_of(ticket).http().stop(ticket, StopReason::kCancelled);
  }
  return dropped;
}

Instant AsyncExecutor::stop_overdue(Instant now) {
  if (timed_ == 0) return kNever;
  Instant next = kNever;
  for (auto& [ticket, running] : running_) {
    if (running.job.timeout.count() == 0 || running.overdue) continue;
    const Instant at = running.started + running.job.timeout;
    next = std::min(next, at);
    if (at > now) continue;
    running.overdue = true;
    loop_of(ticket).http().stop(ticket, StopReason::kTimedOut);
  }
  return std::max(next, now);
}

void AsyncExecutor::permit(JobId job, const std::string& host) {
  const auto ticket = tickets_.find(job);
  if (ticket != tickets_.end()) {
    loop_of(ticket->second).http().permit(ticket->second, host);
    return;
  }
  returned_.push_back(job);  // it ended while it waited: the permit goes back
  ready_.signal();
}

void AsyncExecutor::Loop::on_request_written(std::uint64_t ticket, const std::string& host) {
  if (executor_.hosts_have_limits_)
    told_.push_back({proto::HostEvent::WRITTEN, ticket, host, {}, steady_now()});
}

void AsyncExecutor::Loop::on_permit_wanted(std::uint64_t ticket, const std::string& host) {
  told_.push_back({proto::HostEvent::WANTED, ticket, host, {}, steady_now()});
}

void AsyncExecutor::Loop::on_host_busy(std::uint64_t ticket, const std::string& host,
                                       std::chrono::microseconds retry_after) {
  JobResult said;
  said.retry_after = retry_after;
  told_.push_back({proto::HostEvent::BUSY, ticket, host, std::move(said), steady_now()});
}

void AsyncExecutor::Loop::on_finished(std::uint64_t ticket, JobResult result) {
  told_.push_back({proto::HostEvent::FINISHED, ticket, {}, std::move(result), steady_now()});
}

void AsyncExecutor::Loop::on_turn_over(bool is_busy) {
  if (told_.empty()) return;
  const bool can_wait =
      is_busy && told_.size() < kEventsAtOnce && steady_now() < told_.front().at + kLongestDelay;
  if (!can_wait) executor_.hand_over(told_);
}

void AsyncExecutor::hand_over(std::vector<Event>& events) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = events_.empty();
    if (first) {
      events_.swap(events);
    } else {
      std::move(events.begin(), events.end(), std::back_inserter(events_));
    }
  }
  events.clear();
  if (first) ready_.signal();
}

void AsyncExecutor::add_host_event(Event& event, JobId job, std::vector<proto::HostEvent>& events) const {
  if (!hosts_have_limits_) return;
  proto::HostEvent& host_event = events.emplace_back();
  host_event.set_type(event.type);
  host_event.set_job(job);
  host_event.set_host(std::move(event.host));
  if (event.type == proto::HostEvent::BUSY)
    host_event.set_retry_after_us(static_cast<std::uint64_t>(event.result.retry_after.count()));
}

void AsyncExecutor::collect(std::vector<proto::Results>& completions, std::vector<proto::HostEvent>& events) {
  ready_.clear();
  happened_.clear();
  {
    const std::lock_guard lock(mutex_);
    happened_.swap(events_);
  }
  for (Event& event : happened_) {
    const auto running = running_.find(event.ticket);
    if (running == running_.end()) continue;  // of a former run
    add_host_event(event, running->second.job.id, events);
    if (event.type != proto::HostEvent::FINISHED) continue;
    const AcceptedJob& job = running->second.job;
    if (completions.empty() || bytes_of(completions.back()) > kBatchBytes) completions.emplace_back();
    append_to(completions.back(),
              {job.id, job.submitted(), job.attempt, std::move(event.result),
               running->second.started - running->second.arrived, event.at - running->second.started});
    tickets_.erase(job.id);
    if (job.timeout.count() > 0) --timed_;
    running_.erase(running);
  }
  for (const JobId job : returned_) {
    Event event{proto::HostEvent::FINISHED, 0, {}, {}, {}};
    add_host_event(event, job, events);
  }
  returned_.clear();
  fill_slots();
}

}  // namespace fantail
