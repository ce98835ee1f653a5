// Politeness towards hosts: at most so many requests in flight per host, and a delay between two of them. A
// job waits in its host's queue, not in a slot. A permit for a host goes out with a job and comes back when
// the job leaves that host; the delay counts from the moment the request was written. A host that says it is
// busy is left alone for as long as it asked, or for 250 ms, then twice as long each time until it answers,
// at most 4 s. Knows no workers and no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "pipeline/instant.h"
#include "pipeline/range_set.h"
#include "pipeline/state_hash.h"

namespace fantail {

struct HostPolicy {
  std::uint32_t per_host = 0;  // in flight; 0: no limit
  Duration delay{0};           // between two requests
  bool limits() const { return per_host > 0 || delay.count() > 0; }
};

class HostQueues {
 public:
  explicit HostQueues(HostPolicy policy) : policy_(policy) {}

  // Of a host's jobs those with a higher priority go first.
  void add(JobId job, const std::string& host, std::int32_t priority = 0);
  // A job came back without an outcome: its permit is free and it waits again, before the others of its host.
  void requeue(JobId job, const std::string& host, Instant now, std::int32_t priority = 0);
  // A worker holds the job already: where it still waits it gets its permit at once, limits or not. False: it
  // does not wait.
  bool adopt(JobId job, const std::string& host);
  // The job is not to be done any more. False: it does not wait.
  bool withdraw(JobId job, const std::string& host);
  // The next job whose host allows it now, round robin over the hosts; it holds the host's permit from here
  // on.
  std::optional<JobId> take(Instant now);

  // A job that waits nowhere gets its host's permit, if the host allows it now.
  bool permit(JobId job, const std::string& host, Instant now);

  struct Grant {
    JobId job;
    std::string host;
  };
  // The next permit that a redirected job waits for, where its new host allows it now.
  std::optional<Grant> take_grant(Instant now);

  void on_written(JobId job, const std::string& host, Instant now);
  // False: the job has the host's permit already, and its request is not written; it may not know.
  bool on_wanted(JobId job, const std::string& host, Instant now);
  // The host answered the job's request so; `asked` is 0 where it did not say for how long. Unknown hosts are
  // ignored.
  void on_busy(JobId job, const std::string& host, Duration asked, Instant now);
  void on_finished(JobId job, Instant now);  // unknown jobs are ignored

  std::uint64_t waiting() const { return waiting_; }
  // All jobs that wait, taken out: the run is being stopped.
  RangeSet take_all();
  // When take or take_grant may succeed without another event.
  Instant next_wake() const;
  void hash(StateHash& hash) const;

 private:
  using HostIndex = std::uint32_t;
  class Queue {
   public:
    bool empty() const { return levels_.empty(); }
    void push_back(JobId job, std::int32_t priority) { levels_[priority].push_back(job); }
    void push_front(JobId job, std::int32_t priority) { levels_[priority].push_front(job); }
    JobId pop_front();  // requires: not empty
    bool erase(JobId job);
    std::vector<JobId> jobs() const;

   private:
    std::map<std::int32_t, std::deque<JobId>, std::greater<>> levels_;  // none is empty
  };
  struct Host {
    std::string name;
    Queue queue;
    std::deque<JobId> wanted;     // redirected jobs that wait for a permit
    std::uint32_t in_flight = 0;  // permits out
    std::uint32_t unwritten = 0;  // of these, requests that have not been written yet
    Instant next{};               // earliest time of the next request
    Duration busy_for{0};         // the last pause of a host that has given no other answer since
    std::uint64_t turn = 0;
  };
  struct Holder {
    HostIndex host = 0;
    bool written = false;
    bool busy = false;  // was the answer
  };
  using Order = std::tuple<Instant, std::uint64_t, HostIndex>;

  HostIndex index_of(const std::string& host);
  // Files the host under what it may do next, after any change to it.
  void settle(HostIndex index);
  void unfile(HostIndex index);
  void hold(JobId job, HostIndex index);
  void hold_only(JobId job, HostIndex index, Instant now);
  void release(JobId job, Instant now);

  HostPolicy policy_;
  std::map<std::string, HostIndex, std::less<>> indexes_;
  std::vector<Host> hosts_;
  std::map<JobId, Holder> holders_;
  std::map<JobId, HostIndex> wanting_;  // redirected jobs that wait for a permit
  std::set<Order> ready_;               // hosts that may start a job, by time and turn
  std::set<Order> granting_;            // hosts that may give a permit to a redirected job
  std::uint64_t waiting_ = 0;
  std::uint64_t turns_ = 0;
};

}  // namespace fantail
