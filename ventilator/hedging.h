// Second copies of jobs that take long: from when on a job is a straggler, who has copies, who is to stop
// since nobody wants his any more, and how much all that may cost. Knows no messages to workers and no clock.
//
// What is bounded is the work that copies add: the time from giving a copy away until its job, or the copy,
// is known to be over. For that long two slots work on one job, whichever of them wins.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "messages.pb.h"
#include "pipeline/instant.h"
#include "pipeline/range_set.h"
#include "pipeline/state_hash.h"
#include "ventilator/leases.h"

namespace fantail {

class Hedging {
 public:
  // The second lease of a job.
  struct Copy {
    Lease lease;
    bool held = true;       // false: it is over; the attempt may not have another one
    bool promoted = false;  // it is not: the first lease was
  };

  // on: whether the run is hedged at all; else nothing happens here.
  Hedging(bool on, const proto::HedgePolicy& policy) : on_(on), policy_(policy) {}
  bool on() const { return on_; }

  // What the sink knows of the run so far.
  void learn(const proto::RunLog& log);
  // A job that runs for longer is a straggler; nothing: too few jobs were ok so far.
  std::optional<Duration> patience() const;
  // Whether there may be one more copy. The very first one always may.
  bool affords_copy(Instant now) const;
  // The copy that is to be taken back since there is no more to spend.
  std::optional<JobId> too_expensive(Instant now) const;

  // ---- copies
  void add(const Lease& lease);    // one that is given away
  void adopt(const Lease& lease);  // one that a worker holds already
  const Copy* find(JobId job) const;
  std::vector<JobId> within(JobSpan jobs) const;  // those that have a copy, or had one
  std::vector<Lease> held_by(const WorkerId& worker) const;
  bool any_held() const;
  // The copy is over: it failed after so much work, or its worker does not hold it.
  void end(JobId job, Instant now, Duration worked = Duration{0});
  // The first lease is over: the copy is the job's only one from now on. Nothing: there is none.
  std::optional<Lease> promote(JobId job, Instant now);
  void take_back(JobId job);
  void discard(const Lease& lease);  // a third one
  // The job is done. The lease: of who had it first, where there is one.
  void on_done(JobId job, const std::optional<Lease>& lease, bool by_copy, Instant now);
  void add_lost(Duration worked) { lost_ += worked; }
  void forget(JobId job) { copies_.erase(job); }

  // ---- workers that hold what nobody wants any more
  RangeSet discarded_by(const WorkerId& worker) const;
  std::set<WorkerId> take_untold();  // there is something new for them
  // A whole status or hello.
  void reconcile(const WorkerId& worker, const RangeSet& holding, std::uint64_t received_sequence,
                 Instant now);
  void on_new_lane(const WorkerId& worker);  // from now on every whole status is to name what it holds
  void on_gone(const WorkerId& worker, Instant now);

  void put(Instant now, proto::Hedged& facts) const;
  void hash(StateHash& hash) const;

 private:
  struct Loser {
    std::uint64_t sequence = 0;
    Instant at{};
    bool copy = false;   // the second one
    bool works = false;  // as far as is known; else it has won
  };

  Duration spent(Instant now) const;
  Duration budget() const;
  void tell(const Lease& lease, bool copy, bool works);
  void settle(const Loser& loser, Instant now);

  bool on_;
  proto::HedgePolicy policy_;
  Duration straggler_{0};  // 0: not known yet
  Duration work_{0};       // of the run
  proto::Hedged former_;   // of the ventilator's former lives

  std::map<JobId, Copy> copies_;
  std::map<WorkerId, std::map<JobId, Loser>> losers_;
  std::set<WorkerId> untold_;
  std::uint64_t made_ = 0;
  std::uint64_t won_ = 0;
  Duration extra_{0};  // of copies that are over
  Duration lost_{0};   // worked in vain, by copies and by those that had the job first
};

}  // namespace fantail
