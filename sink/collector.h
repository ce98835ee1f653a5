// The fan-in: records how each job ended, once; knows which jobs are open; owns the run's deadline; ends the
// run. Knows no sockets, threads or clocks. Outcomes go to the ledger, and count as durable when the shell
// reports the commit; only then are workers and ventilator told. What books() and the ledger kept, a
// restarted sink goes on with. It may be copied and compared by hash(). docs/PROTOCOL.md has the table.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "books.pb.h"
#include "messages.pb.h"
#include "pipeline/dropped_messages.h"
#include "pipeline/instant.h"
#include "pipeline/range_set.h"
#include "sink/digest.h"
#include "sink/duration_quantiles.h"
#include "sink/group_goals.h"
#include "sink/kinds/kind.h"
#include "sink/outcome.h"
#include "sink/run_summary.h"

namespace fantail {

class StateHash;

class CollectorOutbox {
 public:
  virtual ~CollectorOutbox() = default;
  virtual void send_to_worker(const std::string& worker_id, const proto::SinkToWorker& message) = 0;
  virtual void send_to_ventilator(const proto::SinkToVentilator& message) = 0;
  virtual void begin_run(const proto::RunSpec& spec) = 0;
  // All jobs are accounted for: write the report and close the files, then call on_report_written.
  virtual void end_run() = 0;
  virtual void on_event(const std::string& what) = 0;
};

// Where outcomes are recorded. The shell commits; a record counts once Collector::on_committed was called.
class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual void record(const Kind& kind, const Outcome& outcome) = 0;
  // What a running job wrote. False: it cannot be taken now, and its sender keeps it.
  virtual bool record_output(const std::string& /*worker_id*/, const proto::JobOutput&) { return true; }
  // These jobs end without a row.
  virtual void record_without_rows(JobSpan jobs, Status status) = 0;
};

// A run as its ledger kept it.
struct KeptRun {
  proto::RunSpec spec;
  proto::Books books;
  std::string aggregate;  // Kind::save
  RangeSet done;
};

struct CollectorPolicy {
  std::uint64_t epoch = 1;
  std::uint32_t data_port = 0;
  std::uint32_t tcp_port = 0;  // of the control socket on tcp; 0: none
  Duration wait = Duration::max();
};

class Collector {
 public:
  Collector(CollectorPolicy policy, Instant now) : policy_(policy), started_(now) {}
  Collector(const Collector& other);
  Collector& operator=(const Collector&) = delete;

  // Goes on with a run of a former life. `shift` is added to its instants: 0 while the clock is the same one,
  // else what makes the books' written_at the present. False: this build cannot read the aggregate.
  bool restore(const KeptRun& kept, Duration shift, Instant now);

  void on_ventilator(const proto::VentilatorToSink& message, Instant now, Ledger& ledger,
                     CollectorOutbox& out);
  void on_worker(const proto::WorkerToSink& message, CollectorOutbox& out);
  void on_results(const proto::Results& results, Instant now, Ledger& ledger);
  void on_unreadable() { ++dropped_.forged; }  // a message, whoever sent it
  // What was recorded so far is being committed, with books() as they are now; what comes meanwhile is for
  // the next commit. One of the two answers follows.
  void begin_commit();
  void on_committed(Instant now, CollectorOutbox& out);
  void on_not_committed();
  // The ledger or a file cannot be written: the run cannot go on.
  void on_fault(const std::string& reason, Instant now, CollectorOutbox& out);
  // The run had ended when its report or its last rows could not be written.
  void on_output_failed(const std::string& reason);
  void on_report_written(Instant now, CollectorOutbox& out);
  // The run is to end as an interrupted one does.
  void on_interrupt(Instant now, CollectorOutbox& out);
  Instant on_tick(Instant now, Ledger& ledger, CollectorOutbox& out);

  // Besides what is being committed.
  bool has_uncommitted() const {
    return books_changed_ || !uncommitted_acks_.empty() || !uncommitted_log_.empty();
  }
  proto::Books books(Instant now) const;
  bool run_open() const { return kind_ != nullptr; }
  const std::string& run_id() const { return run_id_; }
  // Nobody has spoken for the run lately: another one may take its place.
  bool abandoned(Instant now) const;
  bool run_ended() const { return ended_; }
  bool acknowledged() const { return acknowledged_; }  // the ventilator knows how the run ended
  const Kind* kind() const { return kind_.get(); }
  const Digest& digest() const { return digest_; }
  const JobCounts& counts() const { return counts_; }
  const DroppedMessages& dropped() const { return dropped_; }
  RunSummary summary(Instant now) const;
  int run_exit_code() const;
  std::optional<int> exit_code() const { return exit_code_; }  // set once the process may leave
  std::uint64_t hash() const;
  void add_to(StateHash& hash) const;

 private:
  void open_run(const proto::VentilatorToSink& message, Instant now, CollectorOutbox& out);
  void on_sync(const proto::RunSync& sync, Instant now, Ledger& ledger, CollectorOutbox& out);
  void answer(CollectorOutbox& out);
  void put_won_groups(proto::RunLog& log) const;
  void put_hedged(proto::RunLog& log) const;
  proto::SinkToVentilator to_ventilator() const;
  void send_done(CollectorOutbox& out) const;
  void record(const Outcome& outcome, Instant now, Ledger& ledger);
  bool take_outputs(const proto::Results& results, Ledger& ledger);
  void take_as_done(JobSpan jobs);
  void count_duplicates(JobSpan jobs, const RangeSet& copies);
  void take_facts(const proto::RunFacts& facts, Instant now, CollectorOutbox& out);
  void take_without_rows(Ledger& ledger);
  void expire_open_jobs(Ledger& ledger);
  void end_if_complete(CollectorOutbox& out);
  void set_end(proto::RunEnd end, proto::StopLevel level, const std::string& reason, Instant now,
               CollectorOutbox& out);
  proto::RunEnd end() const;

  // collector_goal.cpp
  std::optional<std::uint64_t> goal() const;
  void note_winner(const Outcome& outcome, Instant now);
  void note_error(const Outcome& outcome);
  void check_goal(Instant now, CollectorOutbox& out);
  void set_policy(const proto::RunPolicy& policy);
  bool missed_goal() const;
  std::uint64_t work_saved() const;
  std::optional<RunSummary::Winner> winner() const;
  std::optional<RunSummary::Races> races() const;

  CollectorPolicy policy_;
  Instant started_;
  std::map<std::string, std::string> worker_names_;

  std::string run_id_;
  std::unique_ptr<Kind> kind_;
  Digest digest_;
  JobCounts counts_;
  RangeSet done_;
  RangeSet without_rows_;
  std::uint64_t duplicates_ = 0;
  DroppedMessages dropped_;  // the ventilator's are in facts_
  std::uint64_t work_us_ = 0;
  std::uint64_t started_jobs_ = 0;
  std::uint64_t stopped_work_us_ = 0;  // of cancelled and expired ones
  std::uint64_t stopped_jobs_ = 0;

  proto::RunPolicy run_policy_;
  DurationQuantiles ok_durations_;  // where the policy is about them; a new process begins anew
  RangeSet by_copies_;              // recorded by this process, and brought by second copies
  std::optional<proto::Winner> winner_;
  GroupGoals groups_;
  std::vector<proto::FailedJob> errors_;  // the first ones
  JobCounts committing_counts_;           // as of begin_commit
  JobCounts durable_counts_;

  std::deque<JobSpan> log_;  // completion log from offset log_base_ on
  std::uint64_t log_base_ = 0;
  using Acknowledgements = std::map<std::string, std::vector<std::uint64_t>>;  // by worker
  std::vector<JobSpan> uncommitted_log_;
  Acknowledgements uncommitted_acks_;
  std::vector<JobSpan> committing_log_;
  Acknowledgements committing_acks_;
  bool books_changed_ = false;  // in what must not wait for the next outcome

  proto::RunFacts facts_;
  proto::RunFacts former_facts_;  // of the ventilator's former lives
  bool closed_ = false;
  std::optional<proto::RunSync> question_;  // not answered yet
  Instant asked_at_{};
  Instant ventilator_heard_{};
  std::uint64_t ventilator_epoch_ = 0;
  bool claimed_ = false;  // a ventilator has spoken for the run since this process has it

  std::optional<Instant> first_dispatch_;
  Instant last_commit_{};
  std::optional<Instant> deadline_at_;
  proto::RunEnd own_end_ = proto::RUN_END_NONE;
  proto::StopLevel own_end_level_ = proto::STOP_NONE;
  std::string own_end_reason_;
  Instant own_end_at_{};

  bool ended_ = false;
  bool acknowledged_ = false;
  std::optional<Instant> done_sent_at_;
  std::optional<int> exit_code_;
};

}  // namespace fantail
