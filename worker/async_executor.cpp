#include "worker/async_executor.h"

#include <utility>

#include "pipeline/net/poller.h"
#include "worker/completion.h"

namespace fantail {

namespace {

// How large a batch of results grows.
constexpr std::size_t kBatchBytes = 1 << 20;

}  // namespace

void AsyncExecutor::set_run(const proto::KindSpec& spec) {
  queue_.clear();
  running_.clear();
  tickets_.clear();
  loop_.set_kind(spec);
}

void AsyncExecutor::start(JobSlice jobs) {
  const Instant now = steady_now();
  for (AcceptedJob& job : accepted_jobs(std::move(jobs)))
    queue_.push_back({std::move(job), now});
  fill_slots();
}

void AsyncExecutor::fill_slots() {
  std::vector<AsyncJob> jobs;
  const Instant now = steady_now();
  while (!queue_.empty() && running_.size() < slots_) {
    Queued queued = std::move(queue_.front());
    queue_.pop_front();
    AsyncJob job;
    job.ticket = next_ticket_++;
    job.input = queued.job.input;
    if (queued.job.time_left.count() > 0) {
      job.time_left = std::max(queued.arrived + queued.job.time_left - now, Duration{0});
    }
    tickets_[queued.job.id] = job.ticket;
    running_.emplace(job.ticket, Running{std::move(queued.job), queued.arrived, now});
    jobs.push_back(std::move(job));
  }
  if (!jobs.empty()) loop_.submit(std::move(jobs));
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
    loop_.stop(ticket, reason);
}

void AsyncExecutor::permit(JobId job, const std::string& host) {
  const auto ticket = tickets_.find(job);
  if (ticket != tickets_.end()) {
    loop_.permit(ticket->second, host);
    return;
  }
  returned_.push_back(job);  // it ended while it waited: the permit goes back
  ready_.signal();
}

void AsyncExecutor::on_request_written(std::uint64_t ticket, const std::string& host) {
  push({proto::HostEvent::WRITTEN, ticket, host, {}, {}});
}

void AsyncExecutor::on_permit_wanted(std::uint64_t ticket, const std::string& host) {
  push({proto::HostEvent::WANTED, ticket, host, {}, {}});
}

void AsyncExecutor::on_finished(std::uint64_t ticket, JobResult result) {
  push({proto::HostEvent::FINISHED, ticket, {}, std::move(result), steady_now()});
}

void AsyncExecutor::push(Event event) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = events_.empty();
    events_.push_back(std::move(event));
  }
  if (first) ready_.signal();
}

void AsyncExecutor::collect(std::vector<proto::Results>& completions, std::vector<proto::HostEvent>& events) {
  ready_.clear();
  std::vector<Event> happened;
  {
    const std::lock_guard lock(mutex_);
    happened.swap(events_);
  }
  for (Event& event : happened) {
    const auto running = running_.find(event.ticket);
    if (running == running_.end()) continue;  // of a former run
    proto::HostEvent host_event;
    host_event.set_type(event.type);
    host_event.set_job(running->second.job.id);
    host_event.set_host(std::move(event.host));
    events.push_back(std::move(host_event));
    if (event.type != proto::HostEvent::FINISHED) continue;
    const AcceptedJob& job = running->second.job;
    if (completions.empty() || bytes_of(completions.back()) > kBatchBytes) completions.emplace_back();
    append_to(completions.back(),
              {job.id, job.input, job.attempt, std::move(event.result),
               running->second.started - running->second.arrived, event.at - running->second.started});
    tickets_.erase(job.id);
    running_.erase(running);
  }
  for (const JobId job : returned_) {
    proto::HostEvent event;
    event.set_type(proto::HostEvent::FINISHED);
    event.set_job(job);
    events.push_back(std::move(event));
  }
  returned_.clear();
  fill_slots();
}

}  // namespace fantail
