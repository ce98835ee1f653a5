// The executor of asynchronous kinds: many jobs at once on a few HTTP event loops. A job stays on the loop
// that it was given to. A loop hands over what has happened before it sleeps, and now and then while it is
// busy: not each event by itself, and none later than need be.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "pipeline/app/wake_event.h"
#include "worker/executor.h"
#include "worker/http/http_loop.h"

namespace fantail {

class AsyncExecutor : public Executor {
 public:
  AsyncExecutor(std::uint32_t slots, std::uint32_t loops);

  void set_run(const proto::RunSpec& spec) override;
  void start(JobSlice jobs) override;
  std::vector<JobId> drop_queued() override;
  void stop_running(StopReason reason) override;
  std::vector<JobId> cancel(const RangeSet& jobs) override;
  Instant stop_overdue(Instant now) override;
  void permit(JobId job, const std::string& host) override;
  Load load() override { return {queue_.size(), running_.size()}; }
  void allot(std::uint32_t slots) override;
  void collect(std::vector<proto::Results>& completions, std::vector<proto::HostEvent>& events) override;
  int descriptor() const override { return ready_.descriptor(); }

 private:
  struct Queued {
    AcceptedJob job;
    Instant arrived;
  };
  struct Running {
    AcceptedJob job;
    Instant arrived;
    Instant started;
    bool overdue = false;  // and told so
  };
  struct Event {
    proto::HostEvent::Type type;
    std::uint64_t ticket;
    std::string host;
    JobResult result;
    Instant at;
  };

  // One loop with what it has told and not yet handed over.
  class Loop : private AsyncEvents {
   public:
    explicit Loop(AsyncExecutor& executor) : executor_(executor), http_(*this) {}
    HttpLoop& http() { return http_; }

   private:
    void on_request_written(std::uint64_t ticket, const std::string& host) override;
    void on_permit_wanted(std::uint64_t ticket, const std::string& host) override;
    void on_host_busy(std::uint64_t ticket, const std::string& host,
                      std::chrono::microseconds retry_after) override;
    void on_finished(std::uint64_t ticket, JobResult result) override;
    void on_turn_over(bool is_busy) override;

    AsyncExecutor& executor_;
    std::vector<Event> told_;
    HttpLoop http_;  // last: its thread ends before the rest goes
  };

  Loop& loop_of(std::uint64_t ticket) { return *loops_[ticket % loops_.size()]; }
  void fill_slots();
  void hand_over(std::vector<Event>& events);  // on any thread; leaves the vector empty
  void add_host_event(Event& event, JobId job, std::vector<proto::HostEvent>& events) const;

  std::uint32_t slots_;
  std::uint32_t allotted_;
  WakeEvent ready_;
  std::mutex mutex_;
  std::vector<Event> events_;                   // under mutex_
  std::atomic<bool> hosts_have_limits_{false};  // nobody else wants to hear of permits and requests

  // The session's thread alone.
  std::vector<Event> happened_;  // kept for its memory
  std::deque<Queued> queue_;
  std::unordered_map<std::uint64_t, Running> running_;  // by ticket
  std::unordered_map<JobId, std::uint64_t> tickets_;
  std::uint64_t timed_ = 0;      // of the running ones, those with a timeout
  std::vector<JobId> returned_;  // permits that nobody waits for any more
  std::uint64_t next_ticket_ = 1;

  std::vector<std::unique_ptr<Loop>> loops_;  // last: their threads end before the rest goes
};

}  // namespace fantail
