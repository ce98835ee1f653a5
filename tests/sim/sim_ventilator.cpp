#include "tests/sim/sim_ventilator.h"

#include <algorithm>
#include <set>

#include "pipeline/column.h"
#include "pipeline/job_ranges.h"
#include "tests/sim/world.h"

namespace fantail::sim {

namespace {

constexpr std::uint64_t kProposalJobs = 20;
constexpr std::uint32_t kFirstPort = 5600;

}  // namespace

void SimVentilator::begin() {
  SimSpool& spool = world_.spool;
  if (spool.ended) {
    exit_code_ = world_.sink.run_exit_code();
    exit();
    return;
  }
  const Instant now = clock();
  DispatchPolicy policy;
  policy.hosts = world_.plan.hosts;
  policy.asynchronous = world_.plan.asynchronous;
  policy.kind = "echo";
  policy.heartbeat = world_.plan.heartbeat;
  policy.deadline = world_.plan.deadline.value_or(Duration{0});
  policy.deaths_max = world_.plan.deaths_max;
  policy.max_running = world_.plan.max_running;
  policy.rate = world_.plan.rate;
  policy.backoff = {std::chrono::milliseconds(20), std::chrono::milliseconds(500)};
  dispatcher_.emplace(policy, world_.run_spec(), ++spool.epoch, now,
                      FormerLife{std::min(spool.frontier, spool.spooled), spool.deaths, spool.stop});
  from_workers_.clear();
  from_sink_.clear();
  peers_.clear();
  lanes_.clear();
  won_groups_.clear();
  sink_gone_ = false;
  interrupts_ = static_cast<int>(spool.stop.level);
  input_over_ = false;
  // What is spooled comes back in one go, before the rest of the input is read.
  if (spool.spooled > 0) {
    give_spooled({0, spool.spooled}, now);
  }
  if (spool.input_ended) {
    input_over_ = true;
    dispatcher_->on_input_end(spool.input_complete, 0, now, *this);
  }
}

void SimVentilator::give_spooled(JobSpan jobs, Instant now) {
  if (!world_.plan.hosts.limits() && world_.plan.group_jobs == 0)
    return dispatcher_->on_spooled(jobs.size(), now, *this);
  for (JobId job = jobs.first; job < jobs.end; ++job)
    dispatcher_->on_spooled_job(world_.plan.spooled_job(job));
}

void SimVentilator::die() {
  for (auto& [id, lane] : lanes_) {
    for (const Pull& pull : lane.pulls)
      world_.worker(pull.worker).lane_broken(pull.pull);
  }
}

// The one that is not set, unless that is the planted bug.
Instant SimVentilator::clock() const {
  const Instant now = world_.scheduler.now();
  const Instant set_back = Instant{} + std::chrono::hours(1) + world_.plan.faults_last / 4;
  const bool stepped = world_.planted(Bug::kLeasesByWallClock) && now >= set_back;
  return stepped ? now - std::chrono::minutes(30) : now;
}

Instant SimVentilator::turn() {
  const Instant now = clock();
  on_signals(now);
  if (alive()) receive(now);
  if (alive() && sink_gone_) {
    sink_gone_ = false;
    dispatcher_->on_sink_gone(now);
  }
  if (alive()) open_lanes(now);
  if (alive()) watch_lanes(now);
  if (alive()) take_input(now);
  if (!alive()) return kNever;
  if (!dispatcher_->exit_code()) {
    const Instant wake = dispatcher_->on_tick(now, *this);
    if (!alive()) return kNever;
    if (!dispatcher_->exit_code()) {
      const bool waits = from_workers_.empty() && from_sink_.empty();
      return world_.scheduler.now() + (waits ? wake - now : Duration{0});
    }
  }
  leave();
  return kNever;
}

void SimVentilator::on_signals(Instant now) {
  // A run that never began has nothing to report.
  if (signals_ == 0 || !dispatcher_->sink_reached()) return;
  for (; signals_ > 0 && alive(); --signals_) {
    ++interrupts_;
    world_.count(interrupts_ == 1 ? Fault::kInterrupted : Fault::kInterruptedTwice);
    world_.on_stop_asked();
    input_over_ = true;
    world_.spool.input_ended = true;
    world_.spool.input_complete = false;
    dispatcher_->stop(proto::RUN_END_INTERRUPTED, interrupts_ == 1 ? proto::STOP_QUEUED : proto::STOP_RUNNING,
                      "interrupted", now, *this);
    if (world_.plan.dies_of_interrupt && alive()) world_.kill(*this);
  }
}

void SimVentilator::receive(Instant now) {
  for (int count = 0; count < kMessagesPerTurn && alive() && !from_workers_.empty(); ++count) {
    const Incoming incoming = std::move(from_workers_.front());
    from_workers_.pop_front();
    peers_.insert_or_assign(incoming.message->worker_id(), incoming.from);
    dispatcher_->on_worker(*incoming.message, now, *this);
  }
  for (int count = 0; count < kMessagesPerTurn && alive() && !from_sink_.empty(); ++count) {
    const FromSink message = std::move(from_sink_.front());
    from_sink_.pop_front();
    proto::SinkToVentilator copy = *message;
    if (world_.planted(Bug::kTrustsFinished) && copy.has_log())
      put_ranges(world_.finished_anywhere().spans(), copy.mutable_log()->mutable_done());
    work_told_ = std::max(work_told_, duration_of(copy.log().work_us()));
    if (world_.planted(Bug::kHedgesWithoutLimit) && copy.has_log())
      copy.mutable_log()->set_work_us(UINT64_MAX);
    const DroppedMessages before = dispatcher_->dropped();
    dispatcher_->on_sink(copy, now, *this);
    if (dispatcher_->dropped() != before) continue;
    for (int index = 0; index < copy.log().by_copies_size(); ++index)
      world_.count(Fault::kCopyWon);
    for (const std::string& group : copy.log().won_groups()) {
      world_.count(Fault::kGroupWon);
      won_groups_.insert(group);
    }
  }
}

void SimVentilator::open_lanes(Instant now) {
  std::vector<WorkerId> up;
  for (auto& [id, lane] : lanes_) {
    if (lane.open || lane.pulls.empty()) continue;
    lane.open = true;
    proto::Lane first;
    first.set_run_id(world_.run_spec().run_id());
    first.set_epoch(world_.spool.epoch);
    first.set_sequence(1);
    *first.mutable_spec() = world_.run_spec();
    send_lane(lane, first);
    up.push_back(id);
  }
  for (const WorkerId& id : up) {
    if (alive()) dispatcher_->on_lane_open(id, now, *this);
  }
}

void SimVentilator::watch_lanes(Instant now) {
  std::vector<WorkerId> changed;
  for (auto& [id, lane] : lanes_) {
    forget_closed(lane);
    if (!lane.open || lane.connected != lane.pulls.empty()) continue;
    lane.connected = !lane.connected;
    changed.push_back(id);
  }
  for (const WorkerId& id : changed) {
    const auto lane = lanes_.find(id);
    if (!alive() || lane == lanes_.end()) continue;
    if (lane->second.connected) {
      dispatcher_->on_lane_connected(id, now, *this);
    } else {
      world_.count(Fault::kLaneDropped);
      dispatcher_->on_lane_dropped(id, now);
    }
  }
}

void SimVentilator::take_input(Instant now) {
  SimSpool& spool = world_.spool;
  if (input_over_) return;
  if (dispatcher_->stopped()) {
    input_over_ = true;
    spool.input_ended = true;
    spool.input_complete = false;
    return;
  }
  const std::uint64_t available = std::min(world_.input_available(), spool.spooled + world_.plan.input_chunk);
  if (available > spool.spooled) {
    const std::uint64_t jobs = available - spool.spooled;
    const bool late = world_.planted(Bug::kSpoolsLate);
    if (!late) spool.spooled = available;
    if (dies_here(Fault::kKilledSpooling)) return;
    give_spooled({available - jobs, available}, now);
    if (late) spool.spooled = available;
  }
  if (!alive() || spool.spooled < world_.plan.jobs) return;
  input_over_ = true;
  spool.input_ended = true;
  dispatcher_->on_input_end(true, 0, now, *this);
}

void SimVentilator::leave() {
  exit_code_ = dispatcher_->exit_code();
  proto::VentilatorToWorker stop;
  stop.set_epoch(world_.spool.epoch);
  stop.mutable_stop();
  for (const auto& [id, peer] : peers_)
    send_to_worker(id, stop);
  world_.note("ventilator exits", static_cast<std::uint64_t>(*exit_code_));
  exit();
}

bool SimVentilator::dies_here(Fault fault, std::uint64_t per_mille_factor) {
  if (!world_.strikes_at_point(per_mille_factor)) return false;
  world_.count(fault);
  world_.kill(*this);
  return true;
}

// ---- lanes

bool SimVentilator::connect(std::uint32_t port, std::size_t worker, std::uint64_t pull) {
  for (auto& [id, lane] : lanes_) {
    if (lane.port != port) continue;
    if (id != world_.worker(worker).id()) {
      world_.count(Fault::kPortReused);
      world_.worker(worker).take_from_strange_lane();
    }
    lane.pulls.push_back({worker, pull});
    wake();
    return true;
  }
  return false;
}

std::uint32_t SimVentilator::free_port() {
  if (!world_.plan.reuses_ports) return next_port_++;
  std::set<std::uint32_t> taken;
  for (const auto& [id, lane] : lanes_)
    taken.insert(lane.port);
  std::uint32_t port = kFirstPort;
  while (taken.contains(port))
    ++port;
  return port;
}

void SimVentilator::forget_closed(Lane& lane) const {
  std::erase_if(lane.pulls,
                [this](const Pull& pull) { return !world_.worker(pull.worker).connected(pull.pull); });
}

void SimVentilator::send_lane(Lane& lane, const proto::Lane& message) {
  forget_closed(lane);
  if (lane.pulls.empty()) return world_.count(Fault::kLaneMessageLost);
  const Pull to = lane.pulls[lane.next++ % lane.pulls.size()];
  world_.worker(to.worker).send_lane(to.pull, std::make_shared<const proto::Lane>(message));
}

void SimVentilator::cut_lane(std::uint64_t choice) {
  if (lanes_.empty()) return;
  auto lane = std::next(lanes_.begin(), static_cast<std::ptrdiff_t>(choice % lanes_.size()));
  for (const Pull& pull : lane->second.pulls)
    world_.worker(pull.worker).lane_broken(pull.pull);
  lane->second.pulls.clear();
  world_.count(Fault::kLaneCut);
}

void SimVentilator::open_lane(const WorkerId& worker) {
  const auto peer = peers_.find(worker);
  if (!alive() || peer == peers_.end()) return;
  close_lane(worker);
  Lane& lane = lanes_[worker];
  lane.port = free_port();
  proto::VentilatorToWorker message;
  message.set_epoch(world_.spool.epoch);
  message.mutable_welcome()->set_lane_port(lane.port);
  message.mutable_welcome()->set_sink_endpoint("tcp://sink:5558");
  message.mutable_welcome()->set_heartbeat_ms(
      static_cast<std::uint32_t>(world_.plan.heartbeat.count() / 1000));
  send_to_worker(worker, message);
}

void SimVentilator::close_lane(const WorkerId& worker) {
  const auto lane = lanes_.find(worker);
  if (!alive() || lane == lanes_.end()) return;
  for (const Pull& pull : lane->second.pulls)
    world_.worker(pull.worker).lane_broken(pull.pull);
  lanes_.erase(lane);
}

void SimVentilator::send_jobs(const WorkerId& worker, const LaneBatch& batch) {
  const auto lane = lanes_.find(worker);
  if (!alive() || dies_here(Fault::kKilledAtFrontier) || lane == lanes_.end()) return;
  if (stop_told_) world_.fail("jobs are given away after somebody was told that the run is stopped");
  proto::Lane message;
  message.set_run_id(world_.run_spec().run_id());
  message.set_epoch(world_.spool.epoch);
  message.set_sequence(batch.sequence);
  message.set_time_left_us(static_cast<std::uint64_t>(batch.time_left.count()));
  message.set_count(static_cast<std::uint32_t>(batch.count()));
  message.set_first_job(batch.jobs.front().first);
  message.set_copy(batch.copy);
  for (const JobSpan& span : batch.jobs) {
    for (JobId job = span.first; job < span.end; ++job) {
      if (job >= world_.spool.spooled)
        world_.fail("job " + std::to_string(job) + " is given away before it is spooled");
      if (job >= world_.spool.frontier)
        world_.fail("job " + std::to_string(job) + " is given away beyond the frontier");
      if (batch.copy) world_.check_copy(job, world_.worker_of(worker), work_told_);
      if (!won_groups_.empty() && won_groups_.contains(world_.plan.group_of(job)))
        world_.fail("job " + std::to_string(job) + " is given away after its group was won");
      append_to(*message.mutable_inputs(), world_.plan.input_of(job));
      if (batch.jobs.size() > 1) message.add_jobs(job);
      world_.note("gives job to worker", job, world_.worker_of(worker));
    }
  }
  for (const std::uint32_t attempt : batch.attempts)
    message.add_attempts(attempt);
  send_lane(lane->second, message);
}

// ---- control

void SimVentilator::receive_worker(std::size_t worker, std::uint64_t life, FromWorker message) {
  from_workers_.push_back({{worker, life}, std::move(message)});
  wake();
}

void SimVentilator::receive_sink(std::uint64_t life, FromSink message) {
  if (!alive(life)) return;
  from_sink_.push_back(std::move(message));
  wake();
}

void SimVentilator::sink_gone() {
  if (!alive()) return;
  sink_gone_ = true;
  wake();
}

void SimVentilator::send_to_worker(const WorkerId& id, const proto::VentilatorToWorker& message) {
  const auto peer = peers_.find(id);
  if (!alive() || peer == peers_.end()) return;
  SimWorker& worker = world_.worker(peer->second.worker);
  if (message.pong().stop_level() != proto::STOP_NONE) tells_of_stop();
  world_.note("ventilator to worker", peer->second.worker,
              static_cast<std::uint64_t>(message.message_case()));
  world_.network.control(
      kVentilator, worker.party(),
      [&worker, life = peer->second.life, copy = std::make_shared<const proto::VentilatorToWorker>(message)] {
        worker.receive_ventilator(life, copy);
      });
}

void SimVentilator::send_to_sink(const proto::VentilatorToSink& message) {
  if (!alive()) return;
  if (message.sync().facts().end() != proto::RUN_END_NONE) tells_of_stop();
  world_.network.control(
      kVentilator, kSink,
      [this, life = life(), copy = std::make_shared<const proto::VentilatorToSink>(message)] {
        world_.sink.receive_ventilator(life, copy);
      });
}

void SimVentilator::tells_of_stop() {
  stop_told_ = !world_.plan.stop_unwritten;
}

void SimVentilator::propose(const std::vector<JobSpan>& jobs, Verdict verdict) {
  for (const JobSpan& span : jobs) {
    for (JobId first = span.first; first < span.end; first += kProposalJobs) {
      proto::VentilatorToSink message;
      message.set_run_id(world_.run_spec().run_id());
      message.set_epoch(world_.spool.epoch);
      proto::Results& results = *message.mutable_proposal();
      results.set_run_id(world_.run_spec().run_id());
      results.set_first_job(first);
      for (JobId job = first; job < std::min(span.end, first + kProposalJobs); ++job) {
        results.set_count(results.count() + 1);
        append_to(*results.mutable_inputs(), world_.plan.input_of(job));
        results.add_attempts(0);
        results.add_statuses(verdict == Verdict::kExpired       ? proto::STATUS_EXPIRED
                             : verdict == Verdict::kQuarantined ? proto::STATUS_FAILED
                                                                : proto::STATUS_CANCELLED);
        proto::Failure& failure = *results.add_failures();
        failure.set_index(static_cast<std::uint32_t>(job - first));
        failure.set_code(verdict == Verdict::kQuarantined ? "quarantined" : "stopped");
      }
      send_to_sink(message);
    }
  }
}

void SimVentilator::propose_failed(const proto::FailedAttempt& attempt) {
  proto::VentilatorToSink message;
  message.set_run_id(world_.run_spec().run_id());
  message.set_epoch(world_.spool.epoch);
  proto::Results& results = *message.mutable_proposal();
  results.set_run_id(world_.run_spec().run_id());
  results.set_first_job(attempt.job());
  results.set_count(1);
  append_to(*results.mutable_inputs(), world_.plan.input_of(attempt.job()));
  results.add_attempts(attempt.attempt());
  results.set_worker_id(attempt.worker_id());
  results.add_statuses(proto::STATUS_FAILED);
  const bool for_time = attempt.message().find("another attempt") != std::string::npos;
  results.add_failures()->set_code(for_time ? "given up" : attempt.code());
  send_to_sink(message);
}

// ---- the spool

bool SimVentilator::advance_frontier(JobId frontier) {
  if (!alive()) return false;
  if (world_.faulty() && world_.random.chance(world_.plan.frontier_refused)) {
    world_.count(Fault::kFrontierRefused);
    return false;
  }
  if (world_.planted(Bug::kFrontierInMemory)) return true;
  world_.spool.frontier = std::max(world_.spool.frontier, frontier);
  return true;
}

void SimVentilator::record_deaths(const std::vector<JobSpan>& jobs, bool alone) {
  if (!alive() || world_.planted(Bug::kDeathsInMemory)) return;
  for (const JobSpan& span : jobs) {
    for (JobId job = span.first; job < span.end; ++job) {
      Deaths& deaths = world_.spool.deaths[job];
      ++deaths.total;
      if (alone) ++deaths.alone;
      world_.note("a worker died holding job", job, deaths.total);
    }
  }
}

void SimVentilator::record_stop(const StopDecision& stop) {
  if (!alive() || world_.plan.stop_unwritten || world_.planted(Bug::kStopsInMemory)) return;
  world_.spool.stop = stop;
  world_.note("records a stop", static_cast<std::uint64_t>(stop.level), static_cast<std::uint64_t>(stop.end));
}

void SimVentilator::record_end() {
  if (alive()) world_.spool.ended = true;
}

std::string SimVentilator::host_of(JobId job) {
  return world_.plan.host_of(job);
}

void SimVentilator::on_event(const std::string& what) {
  world_.note_text("ventilator", what);
}

void SimVentilator::on_trouble(const std::string& what) {
  world_.note_text("ventilator warns", what);
}

}  // namespace fantail::sim
