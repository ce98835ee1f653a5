// The executor of asynchronous kinds: many jobs at once on the one HTTP event loop.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "pipeline/app/wake_event.h"
#include "worker/executor.h"
#include "worker/http/http_loop.h"

namespace fantail {

class AsyncExecutor : public Executor, private AsyncEvents {
 public:
  explicit AsyncExecutor(std::uint32_t slots) : slots_(slots), loop_(*this) {}

  void set_run(const proto::KindSpec& spec) override;
  void start(JobSlice jobs) override;
  std::vector<JobId> drop_queued() override;
  void stop_running(StopReason reason) override;
  void permit(JobId job, const std::string& host) override;
  std::uint64_t running() override { return running_.size(); }
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
  };
  struct Event {
    proto::HostEvent::Type type;
    std::uint64_t ticket;
    std::string host;
    JobResult result;
    Instant at;
  };

  // On the loop's thread.
  void on_request_written(std::uint64_t ticket, const std::string& host) override;
  void on_permit_wanted(std::uint64_t ticket, const std::string& host) override;
  void on_finished(std::uint64_t ticket, JobResult result) override;
  void push(Event event);

  void fill_slots();

  std::uint32_t slots_;
  WakeEvent ready_;
  std::mutex mutex_;
  std::vector<Event> events_;  // under mutex_

  // The session's thread alone.
  std::deque<Queued> queue_;
  std::map<std::uint64_t, Running> running_;  // by ticket
  std::map<JobId, std::uint64_t> tickets_;
  std::vector<JobId> returned_;  // permits that nobody waits for any more
  std::uint64_t next_ticket_ = 1;

  HttpLoop loop_;  // last: its thread ends before the rest goes
};

}  // namespace fantail
