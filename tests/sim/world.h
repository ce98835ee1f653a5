// One simulated run: the production deciders in simulated shells, on a virtual clock, with what the seed's
// plan does to them. After the faults everything is healed and started again, and the run has to complete.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/faults.h"
#include "tests/sim/network.h"
#include "tests/sim/plan.h"
#include "tests/sim/planted.h"
#include "tests/sim/random.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/sim_sink.h"
#include "tests/sim/sim_ventilator.h"
#include "tests/sim/sim_worker.h"
#include "tests/sim/storage.h"

namespace fantail::sim {

struct Verdicts {
  std::string failure;  // empty: all held
  std::uint64_t trace = 0;
  FaultCounts faults;
  std::uint64_t jobs = 0;
  std::uint64_t executions = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t steps = 0;
};

class World {
 public:
  World(Plan plan, bool prints, Bug planted = Bug::kNone);

  Verdicts run();

  // ---- for the parts
  bool planted(Bug bug) const { return bug == planted_; }
  bool faulty() const { return faulty_; }
  void count(Fault fault) { verdicts_.faults.add(fault); }
  bool strikes_at_point(std::uint64_t factor);
  void fail(const std::string& what);
  void note(const char* what, std::uint64_t first = 0, std::uint64_t second = 0);
  void note_text(const char* who, const std::string& what);
  const proto::RunSpec& run_spec() const { return spec_; }
  std::uint64_t input_available() const;

  SimWorker& worker(std::size_t index) { return *workers_[index]; }
  std::size_t worker_of(const std::string& id) const { return static_cast<std::size_t>(id[7] - '0'); }
  void kill(Process& process);
  void deliver_to_ventilator(std::size_t worker, std::uint64_t life, const FromWorker& message);
  void hold_for_sink(std::function<void()> deliver);
  void on_sink_up();
  const RangeSet& finished_anywhere() const { return finished_; }
  void on_finished(JobId job) { finished_.insert(job); }
  void on_started(JobId job);
  void on_stopped(JobId job);
  // A second copy goes to the worker, where the sink has told of so much work so far.
  void check_copy(JobId job, std::size_t worker, Duration work);
  void on_stop_asked() { stop_asked_ = true; }

  // ---- checks.cpp
  void check_row(JobId job, const SimRow& row);
  void check_complete();
  bool goal_reached() const;
  bool may_be_stopped() const;

  Plan plan;
  Random random;
  Scheduler scheduler;
  Network network{*this};
  SimSpool spool;
  SimLedger ledger;
  SimVentilator ventilator{*this};
  SimSink sink{*this};

 private:
  // chaos.cpp
  void begin_chaos();
  void strike(const Strikes& strikes, const std::function<void()>& what);
  void strike_processes();
  void strike_network();
  void heal();
  void supervise();
  void start_later(Process& process, Duration longest);

  // checks.cpp
  void check_end();
  bool check_all_done();
  void check_books(bool ended_alone);
  void check_goal();
  void check_undisturbed();
  void check_groups();
  void check_deaths();
  void check_slot_time();

  void print_plan() const;
  bool over() const;
  Duration time_to_complete() const;

  bool prints_;
  Bug planted_;
  proto::RunSpec spec_;
  std::vector<std::unique_ptr<SimWorker>> workers_;
  std::vector<std::function<void()>> held_for_ventilator_, held_for_sink_;
  std::vector<std::uint64_t> starting_;  // by party: a start is under way
  bool faulty_ = true;
  bool stop_asked_ = false;
  RangeSet finished_;
  struct Running {
    std::size_t slots = 0;
    Instant twice_since{};
  };
  std::map<JobId, Running> running_;  // in slots
  Duration ran_twice_{0};             // jobs that did not only for a moment
  Verdicts verdicts_;
};

}  // namespace fantail::sim
