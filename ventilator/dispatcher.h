// Decides which worker gets which job, and what becomes of the jobs nobody will do. Knows no sockets, threads
// or clocks: events come in with the time as an argument, messages go out through the outbox. It may be
// copied and compared by hash().
//
// A job is pending, leased to a worker, proposed to the sink, or done; only the sink's completion log makes
// it done. docs/PROTOCOL.md has the tables.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "messages.pb.h"
#include "pipeline/dropped_messages.h"
#include "pipeline/instant.h"
#include "pipeline/job_ranges.h"
#include "pipeline/range_set.h"
#include "pipeline/status.h"
#include "ventilator/deaths.h"
#include "ventilator/hedging.h"
#include "ventilator/host_queues.h"
#include "ventilator/leases.h"
#include "ventilator/pending_jobs.h"
#include "ventilator/retry_queue.h"
#include "ventilator/slot_time.h"
#include "ventilator/start_rate.h"
#include "ventilator/stop_decision.h"

namespace fantail {

struct DispatchPolicy {
  HostPolicy hosts;
  bool asynchronous = false;  // the kind runs in async slots
  std::string kind;           // a worker must name it
  proto::InputFormat input_format = proto::INPUT_PLAIN;
  Duration heartbeat = std::chrono::seconds(1);
  std::uint32_t batch_jobs_max = 4096;
  Duration deadline{0};  // of the whole run; 0: none
  // Workers that may die of a job before it is given up (the last time alone on its worker); 0: any number.
  std::uint32_t deaths_max = 3;
  std::uint64_t max_running = 0;  // jobs in the whole run; 0: as many as there are slots
  double rate = 0;                // starts per second in the whole run; 0: no limit
  // Whether it matters when each job starts: none is given away before a slot is free.
  BackoffPolicy backoff;
  Duration timeout{0};                // of one attempt; 0: none
  std::uint32_t timeout_percent = 0;  // instead, of the median of the ok jobs so far
  bool paced() const { return max_running > 0 || rate > 0; }
  Duration wait = kForever;  // for the first worker and for the sink
  static constexpr Duration kForever = Duration::max();
};

// What the dispatcher must know of a job, where jobs differ.
struct SpooledJob {
  std::string host;  // where hosts have limits
  std::string group;
  std::int32_t priority = 0;
};

// The jobs of one lane message. Inputs are the shell's business.
struct LaneBatch {
  std::uint64_t sequence = 0;
  std::vector<JobSpan> jobs;
  std::vector<std::uint32_t> attempts;  // one per job; empty: all 1
  Duration time_left{0};                // 0: no deadline
  Duration timeout{0};                  // of each attempt; 0: none
  bool copy = false;                    // others have these jobs, too
  std::uint64_t count() const;
};

// What a ventilator takes up of its former life.
struct FormerLife {
  JobId frontier = 0;  // jobs from here on were never dispatched
  std::map<JobId, Deaths> deaths;
  StopDecision stop;
};

// Why jobs get an outcome without a worker's result.
enum class Verdict : std::uint8_t {
  kCancelled,  // the run was stopped
  kExpired,
  kQuarantined,
  kUnwanted,  // cancelled, though the run goes on
};

class DispatchOutbox {
 public:
  virtual ~DispatchOutbox() = default;
  virtual void open_lane(const WorkerId& worker) = 0;  // answers by on_lane_open once the worker is connected
  virtual void close_lane(const WorkerId& worker) = 0;
  virtual void send_jobs(const WorkerId& worker, const LaneBatch& batch) = 0;
  virtual void send_to_worker(const WorkerId& worker, const proto::VentilatorToWorker& message) = 0;
  virtual void send_to_sink(const proto::VentilatorToSink& message) = 0;
  // The jobs end without a result; the sink is told their inputs.
  virtual void propose(const std::vector<JobSpan>& jobs, Verdict verdict) = 0;
  // The job ends as this attempt of it did.
  virtual void propose_failed(const proto::FailedAttempt& attempt) = 0;
  // Jobs below this are about to be dispatched: must be durable before. False: not now.
  virtual bool advance_frontier(JobId frontier) = 0;
  // A worker died while it held these jobs; alone: it held nothing else.
  virtual void record_deaths(const std::vector<JobSpan>& jobs, bool alone) = 0;
  // The run is about to be stopped, or stopped harder: must be durable before, where there is space for it.
  virtual void record_stop(const StopDecision& stop) = 0;
  // The sink has finished the run: the very last thing to be kept.
  virtual void record_end() = 0;
  // How many of the first of these jobs have inputs of no more than so many bytes together; takes these bytes
  // off.
  virtual std::uint64_t fitting(JobSpan jobs, std::uint64_t& bytes) = 0;
  // The host that a job's request goes to first, read back from the spool.
  virtual std::string host_of(JobId job) = 0;
  virtual void on_event(const std::string& what) = 0;    // for the log
  virtual void on_trouble(const std::string& what) = 0;  // for people, at once
};

class Dispatcher {
 public:
  Dispatcher(DispatchPolicy policy, proto::RunSpec spec, std::uint64_t epoch, Instant now,
             FormerLife former = {});

  // ---- the input. What a former life spooled comes before any message.
  void on_spooled(std::uint64_t jobs, Instant now, DispatchOutbox& out);  // so many more, all alike
  void on_spooled_job(const SpooledJob& spooled);                         // the next one
  // Of the jobs that nobody has yet these are to go first, in this order.
  void on_longest(const std::vector<JobId>& jobs);
  void on_input_end(bool complete, std::uint64_t skipped, Instant now, DispatchOutbox& out);

  // ---- workers
  void on_worker(const proto::WorkerToVentilator& message, Instant now, DispatchOutbox& out);
  void on_lane_open(const WorkerId& worker, Instant now, DispatchOutbox& out);
  // An open lane lost its worker's connection, or has it again.
  void on_lane_dropped(const WorkerId& worker, Instant now);
  void on_lane_connected(const WorkerId& worker, Instant now, DispatchOutbox& out);

  // ---- the sink
  void on_sink(const proto::SinkToVentilator& message, Instant now, DispatchOutbox& out);
  void on_sink_gone(Instant now);  // its connection closed

  void on_unreadable() { ++dropped_.forged; }  // a message, whoever sent it

  // ---- people and faults
  void stop(proto::RunEnd end, proto::StopLevel level, const std::string& reason, Instant now,
            DispatchOutbox& out);

  // Answered at `client`, which names its sender like a worker's id.
  void on_control(const WorkerId& client, const proto::RunControl& control, Instant now, DispatchOutbox& out);

  Instant on_tick(Instant now, DispatchOutbox& out);  // returns when it next needs to run

  // What the shell asks to tell people and to end the process.
  bool sink_reached() const { return sink_opened_; }
  bool had_worker() const { return workers_ever_ > 0; }
  bool stopped() const { return stop_level_ != proto::STOP_NONE; }
  std::uint64_t spooled() const { return spooled_; }
  std::uint64_t pending() const {
    return pending_.size() + long_.size() + hosts_.waiting() + suspects_.size();
  }
  std::uint64_t waiting_to_retry() const { return retry_queue_.size(); }
  const DroppedMessages& dropped() const { return dropped_; }
  // Set once the run is over and the workers may go.
  std::optional<int> exit_code() const { return exit_code_; }
  std::uint64_t hash() const;
  void add_to(StateHash& hash) const;

 private:
  // What the sink was proposed and does not know as done yet is proposed again.
  class Again {
   public:
    void at_once() { last_ = Instant{}; }
    void start(Instant now) { last_ = now; }
    bool due(Instant now) {
      if (last_ != Instant{} && now < last_ + kAfter) return false;
      last_ = now;
      return true;
    }
    Instant last() const { return last_; }

   private:
    static constexpr Duration kAfter = std::chrono::seconds(1);
    Instant last_{};
  };

  struct Sent {
    std::uint64_t sequence;
    std::uint64_t jobs;
    Instant at;
  };
  struct Worker {
    std::string name;
    std::uint32_t slots = 1;
    bool open = false;  // the lane is connected
    bool draining = false;
    bool blocked = false;
    std::uint64_t next_sequence = 1;
    std::uint64_t received_sequence = 0;
    std::uint64_t unfinished = 0;  // as of received_sequence
    std::deque<Sent> in_flight;    // lane messages that the worker has not told of
    std::uint64_t sent_jobs = 0;   // in in_flight
    std::uint64_t mean_job_ns = 0;
    std::uint64_t number = 0;  // of its last hello or status
    Instant heard{};
    Instant unconnected_since{};  // where the lane is not connected
    std::uint64_t long_jobs = 0;  // given to it as such: so many at most are unfinished
    bool alone = false;           // has a job that workers died of, and gets nothing else
    SlotCounts counted;           // its part in slots_
    std::uint64_t outstanding() const { return unfinished + sent_jobs; }
    bool dropped() const { return !open && next_sequence > 1; }  // it was open before
  };
  using Workers = std::map<WorkerId, Worker>;
  // Jobs that nobody seems to hold: pending again once the sink has answered a question asked after that was
  // seen.
  struct Limbo {
    JobSpan jobs;
    std::uint64_t question = 0;
    std::uint32_t next_attempt = 1;
    bool died = false;       // with its worker
    bool alone = false;      // was all that the worker held
    bool elsewhere = false;  // another copy goes on: it is only whether the worker died of it
  };

  // dispatcher_workers.cpp
  void on_hello(const WorkerId& id, const proto::WorkerHello& hello, std::uint64_t number, Instant now,
                DispatchOutbox& out);
  void on_status(Workers::iterator worker, const proto::WorkerStatus& status, Instant now,
                 DispatchOutbox& out);
  void on_host_events(const WorkerId& id, const proto::HostEvents& events, Instant now, DispatchOutbox& out);
  void grant_permits(Instant now, DispatchOutbox& out);
  void send_permit(const WorkerId& id, JobId job, const std::string& host, DispatchOutbox& out) const;
  void reconcile(const WorkerId& id, const RangeSet& holding, std::uint64_t received_sequence, bool started,
                 Instant now);
  void adopt(const WorkerId& id, const RangeSet& holding, Instant now, DispatchOutbox& out);
  void remove_worker(const WorkerId& id, bool died, Instant now, DispatchOutbox& out);
  void send_unknown(const WorkerId& id, DispatchOutbox& out) const;
  void send_pong(const WorkerId& id, DispatchOutbox& out, const RangeSet& holding = {}) const;
  Duration time_between_looks() const;
  Instant check_workers(Instant now, DispatchOutbox& out);  // returns when it next has something to find
  Instant last_moment(const Worker& worker) const;          // by which a sign of life has to come

  // dispatcher_jobs.cpp
  void dispatch(Instant now, DispatchOutbox& out);
  void dispatch_to(Workers::iterator worker, Instant now, DispatchOutbox& out);
  bool serve(Workers::iterator worker, bool ahead, Instant now, DispatchOutbox& out);
  void send(Workers::iterator worker, LaneBatch batch, Instant now, DispatchOutbox& out);
  void send_batch(Workers::iterator worker, LaneBatch batch, Instant now, DispatchOutbox& out);
  void lease(JobSpan jobs, const WorkerId& worker, LaneBatch& batch, Instant now);
  std::uint64_t window(const Worker& worker) const;
  std::uint64_t free_credit(const Worker& worker, bool ahead) const;
  static bool has_long_jobs(Worker& worker);
  std::optional<JobId> take_longest(Worker& worker);
  std::vector<JobSpan> take_pending(std::uint64_t limit, Instant now, DispatchOutbox& out);
  bool advance_frontier(const std::vector<JobSpan>& jobs, Instant now, DispatchOutbox& out);
  void make_pending(JobSpan jobs, std::uint32_t attempt, Instant now, DispatchOutbox& out);
  void propose_stopped(Instant now, DispatchOutbox& out);
  bool may_dispatch(Instant now) const;
  std::uint64_t room(Instant now) const;
  Duration timeout() const;

  // dispatcher_slots.cpp
  void count_slots(Worker& worker);
  void measure_slots(Instant now);
  proto::SlotUse free_slots_wait_for(Instant now) const;

  // dispatcher_sink.cpp
  void on_log(const proto::RunLog& log, std::uint64_t sink_epoch, Instant now, DispatchOutbox& out);
  void on_whole_log(const RangeSet& done, const RangeSet& by_copies, Instant now, DispatchOutbox& out);
  void mark_done(JobSpan jobs, const RangeSet& by_copies, Instant now);
  void settle_limbo(std::uint64_t answered, Instant now, DispatchOutbox& out);
  void settle_undecided(Instant now, DispatchOutbox& out);
  void ask_sink(Instant now, DispatchOutbox& out);
  Instant next_question() const;
  void open_run(Instant now, DispatchOutbox& out);
  void fill_facts(proto::RunFacts& facts, Instant now) const;
  Status stop_status() const;

  // dispatcher_hash.cpp
  void add_jobs(StateHash& hash) const;
  void add_end(StateHash& hash) const;
  void add_sink(StateHash& hash) const;

  DispatchPolicy policy_;
  proto::RunSpec spec_;
  std::uint64_t epoch_;
  Instant started_;

  void pause(bool paused, Instant now, DispatchOutbox& out);

  // dispatcher_retries.cpp
  void on_failed(const WorkerId& id, const proto::JobsFailed& failed, Instant now, DispatchOutbox& out);
  void retry(const WorkerId& id, const proto::FailedAttempt& attempt, Instant now, DispatchOutbox& out);
  void give_up(proto::FailedAttempt attempt, const char* why, Instant now, DispatchOutbox& out);
  void dispatch_retries(Instant now, DispatchOutbox& out);
  Workers::iterator free_worker_for(const RetryQueue::Due& due, Instant now);
  void propose_given_up(Instant now, DispatchOutbox& out);

  // dispatcher_hedge.cpp
  Instant hedge(Instant now, DispatchOutbox& out);
  std::vector<Lease> stragglers(Instant since) const;
  Workers::iterator free_worker_beside(const WorkerId& holder);
  void send_copy(const Lease& lease, Workers::iterator worker, Instant now, DispatchOutbox& out);
  void tell_discarded(DispatchOutbox& out);
  void put_discarded(const WorkerId& id, const RangeSet& holding, JobRanges* ranges) const;
  void into_limbo(Limbo limbo, Instant now);
  void adopt_copies(const WorkerId& id, JobSpan held, Instant now);
  void end_copies(JobSpan jobs, const RangeSet& by_copies, Instant now);

  // dispatcher_suspects.cpp
  void record_deaths(JobSpan jobs, bool alone, Instant now, DispatchOutbox& out);
  void propose_quarantined(Instant now, DispatchOutbox& out);
  bool is_suspect(JobId job) const;
  void dispatch_suspects(Instant now, DispatchOutbox& out);
  void send_suspect(Workers::iterator worker, Instant now, DispatchOutbox& out);
  std::optional<JobId> take_suspect(Instant now, DispatchOutbox& out);

  // dispatcher_cancel.cpp
  void cancel(const RangeSet& jobs, Instant now, DispatchOutbox& out);
  void take_waiting(JobSpan jobs, RangeSet& taken, DispatchOutbox& out);
  void propose_cancelled(Instant now, DispatchOutbox& out);
  void put_cancelled(const WorkerId& id, JobRanges* ranges) const;
  void on_won(const proto::RunLog& log, Instant now, DispatchOutbox& out);

  // Jobs. Every id below spooled_ is in exactly one of undecided_, pending_ (or hosts_), long_, suspects_,
  // retry_queue_, limbo_, leases_, proposed_, quarantined_, given_up_, cancelled_ and done_.
  std::uint64_t spooled_ = 0;
  RangeSet undecided_;  // perhaps dispatched in a former life: who holds them will say so
  PendingJobs pending_;
  RangeSet long_;              // pending, and known to take long
  std::deque<JobId> longest_;  // these in the order in which they go, and some that left already
  RangeSet suspects_;          // pending; workers died holding them, so that each is to run alone
  HostQueues hosts_;
  StartRate rate_;
  RetryQueue retry_queue_;
  std::map<JobId, proto::FailedAttempt> given_up_;  // proposed as failed, there being no other attempt
  std::vector<Limbo> limbo_;
  Leases leases_;
  Hedging hedging_;  // second leases
  Instant hedged_at_{};
  RangeSet proposed_;     // to end as the run does
  RangeSet quarantined_;  // proposed as failed: workers die of them
  RangeSet unwanted_;     // to be cancelled, wherever they are, and not done
  RangeSet cancelled_;    // of these, proposed: no worker has them
  RangeSet done_;
  JobId former_frontier_;                   // jobs below it may have been dispatched in a former life
  JobId frontier_;                          // nothing from here on was ever dispatched
  std::map<JobId, Deaths> deaths_;          // of jobs that are not done
  std::map<std::string, RangeSet> groups_;  // jobs by group, until it has won
  std::set<std::string> won_groups_;
  std::map<JobId, WorkerId> askers_;         // who waits for a redirected job's permit
  std::map<JobId, std::uint32_t> attempts_;  // the next attempt of jobs that were dispatched before

  bool closed_ = false;
  bool input_complete_ = true;
  std::uint64_t skipped_ = 0;

  Instant ticked_{};
  Instant look_at_{};     // when all workers are looked at again
  Instant next_death_{};  // as was found then
  Workers workers_;
  std::uint32_t workers_ever_ = 0;
  SlotCounts slots_;
  SlotTime slot_time_;
  std::uint64_t max_running_ = 0;
  std::uint64_t retries_ = 0;
  std::uint64_t retried_us_ = 0;  // worked by attempts that were not the last ones
  std::optional<Instant> first_dispatch_;
  std::optional<Instant> deadline_at_;

  bool paused_ = false;
  proto::StopLevel stop_level_ = proto::STOP_NONE;
  proto::RunEnd end_ = proto::RUN_END_NONE;
  std::string end_reason_;
  Instant stopped_at_{};
  Again proposed_again_;
  Again quarantined_again_;
  Again given_up_again_;
  Again cancelled_again_;
  Duration median_{0};  // of the ok jobs so far; 0: not known yet
  RangeSet without_rows_;

  bool sink_opened_ = false;
  bool sink_known_ = false;        // what is done of a former life has been heard
  std::uint64_t sink_epoch_ = 0;   // of log_offset_
  std::uint64_t newest_sink_ = 0;  // the highest epoch heard of
  std::uint64_t log_offset_ = 0;
  std::uint64_t won_offset_ = 0;  // into the groups that have won, of the same epoch
  std::uint64_t question_ = 0;
  std::uint64_t answered_ = 0;
  Instant asked_at_{};
  Instant sink_heard_{};
  bool facts_changed_ = false;  // the sink does not know the latest of spooled_ and closed_
  DroppedMessages dropped_;

  std::optional<int> sink_exit_code_;
  Instant acknowledged_at_{};
  std::optional<int> exit_code_;
};

}  // namespace fantail
