// What a seed stands for: the run's shape and the faults that are on. Each seed draws its own subset (swarm
// testing, https://www.cs.utah.edu/~regehr/papers/swarm12.pdf): faults that are always on hide what others
// do.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "messages.pb.h"
#include "pipeline/instant.h"
#include "pipeline/range_set.h"
#include "pipeline/status.h"
#include "ventilator/dispatcher.h"

namespace fantail::sim {

// A fault that strikes again and again: after 0 .. 2 * every. 0: never.
struct Strikes {
  Duration every{0};
  Duration longest{0};  // where it lasts
};

struct Plan {
  std::uint64_t seed = 0;

  // ---- the run
  JobId jobs = 0;
  std::uint64_t failing = 0;  // per mille of the jobs
  std::set<JobId> poison;
  Duration job_shortest{0}, job_longest{0};
  Duration input_lasts{0};  // the time over which the input arrives
  std::uint64_t input_chunk = 1;
  std::vector<std::uint32_t> slots;  // one worker each
  bool asynchronous = false;
  HostPolicy hosts;
  std::uint64_t host_count = 1;
  std::uint64_t redirects = 0;  // per mille of the jobs that go on to another host
  Duration heartbeat{0};
  std::uint32_t deaths_max = 3;
  std::optional<Duration> deadline;
  std::optional<proto::Halt> halt;
  std::uint64_t group_jobs = 0;  // of each group, which are races then; 0: there are no groups
  std::uint64_t max_running = 0;
  double rate = 0;
  std::uint32_t attempts = 1;  // that a job has
  std::optional<proto::HedgePolicy> hedge;
  std::vector<std::uint64_t> slowness;  // of each worker, in multiples of a job's duration

  // ---- the network
  Duration latency_least{0}, latency_most{0};
  std::uint64_t lost = 0, duplicated = 0, reordered = 0;  // per mille of the control messages
  Duration reordered_by{0};
  Strikes partition, lane_cut, results_cut;
  bool holds_for_dead = false;  // what was sent to a dead process reaches its successor
  bool reuses_ports = false;

  // ---- processes
  Strikes worker_pause, ventilator_pause, sink_pause;
  Strikes worker_kill, ventilator_kill, sink_kill;  // longest: until it is started again
  Strikes drain;
  std::uint64_t killed_at_points = 0;  // per mille of the times that such a point is passed
  Duration worker_late{0};
  std::optional<Duration> interrupt_at, interrupt_again_at;
  bool dies_of_interrupt = false;  // the ventilator is killed when it has told of the stop
  bool stop_unwritten = false;     // there is no space in the spool for a stop: it dies with the ventilator

  // ---- storage
  Duration commit_longest{0}, commit_window{0};
  Strikes disk_full;
  Strikes foreign_results;
  std::uint64_t frontier_refused = 0;  // per mille

  Duration faults_last{0};

  // No fault makes a worker look dead that was not killed by its job.
  bool deaths_are_honest() const;
  bool calm() const;
  // Nothing makes a ventilator forget or misjudge who has which job.
  bool undisturbed_leases() const;

  // A group's name follows a slash.
  std::string input_of(JobId job) const {
    return "input " + std::to_string(job) + (group_jobs > 0 ? "/" + group_of(job) : "");
  }
  std::string group_of(JobId job) const { return "group " + std::to_string(job / group_jobs); }
  SpooledJob spooled_job(JobId job) const;
  std::string host_of(JobId job) const;
  Status truth_of(JobId job) const;
  // Whether this attempt fails in a way that may pass.
  bool passing_at(JobId job, std::uint32_t attempt) const;
  // How long a pause the job's host asks for then, 0 where it does not say; nothing: it is not busy.
  std::optional<Duration> busy_at(JobId job, std::uint32_t attempt) const;
  Duration duration_of(JobId job) const;
  Duration duration_at(std::size_t worker, JobId job) const;
};

Plan draw_plan(std::uint64_t seed);

}  // namespace fantail::sim
