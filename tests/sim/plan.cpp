#include "tests/sim/plan.h"

#include "tests/sim/random.h"

namespace fantail::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

Strikes strikes(Random& random, Duration most_often, Duration longest) {
  return {random.between(most_often, most_often * 6), random.between(longest / 8, longest)};
}

void draw_run(Plan& plan, Random& random) {
  plan.jobs = random.chance(100) ? random.between(0, 3) : random.between(10, 160);
  const std::uint64_t workers = random.between(1, 4);
  std::uint64_t slots = 0;
  for (std::uint64_t index = 0; index < workers; ++index) {
    plan.slots.push_back(static_cast<std::uint32_t>(random.between(1, 4)));
    slots += plan.slots.back();
  }
  // So much work that the faults find somebody at it.
  const Duration work = plan.faults_last * random.between(100, 1000) / 1000 * slots;
  const Duration mean = work / std::max<std::uint64_t>(plan.jobs, 1);
  plan.job_shortest = random.chance(300) ? microseconds(20) : mean / 2;
  plan.job_longest = random.chance(200) ? std::max<Duration>(milliseconds(1), plan.job_shortest)
                                        : std::max(mean * 3 / 2, plan.job_shortest);
  plan.failing = random.chance(400) ? random.between(1, 300) : 0;
  plan.input_lasts = random.chance(500) ? random.between(Duration{0}, plan.faults_last / 2) : Duration{0};
  plan.input_chunk = random.between(1, 60);
  plan.heartbeat = random.chance(500) ? seconds(1) : random.between(Duration(milliseconds(250)), seconds(1));
  if (random.chance(200)) {
    plan.asynchronous = true;
    plan.host_count = random.between(1, 5);
    if (random.chance(700)) plan.hosts.per_host = static_cast<std::uint32_t>(random.between(1, 3));
    if (random.chance(500)) plan.hosts.delay = random.between(Duration(milliseconds(1)), milliseconds(150));
    if (random.chance(500)) plan.redirects = random.between(1, 500);
  }
  if (random.chance(100)) plan.deadline = random.between(Duration(seconds(1)), plan.faults_last * 3 / 2);
  if (random.chance(100)) {
    plan.interrupt_at = random.between(Duration{0}, plan.faults_last);
    if (random.chance(500))
      plan.interrupt_again_at = *plan.interrupt_at + random.between(Duration{0}, seconds(3));
    plan.dies_of_interrupt = random.chance(400);
    plan.stop_unwritten = random.chance(200);
  }
  if (random.chance(150) && plan.jobs > 5) {
    for (std::uint64_t count = random.between(1, 2); count > 0; --count)
      plan.poison.insert(random.below(plan.jobs));
  } else if (random.chance(200)) {
    plan.deaths_max = 0;
  }
}

void draw_network(Plan& plan, Random& random) {
  if (random.chance(350)) plan.lost = random.between(1, 300);
  if (random.chance(350)) plan.duplicated = random.between(1, 300);
  if (random.chance(300)) plan.reordered = random.between(1, 300);
  plan.reordered_by = random.between(Duration(milliseconds(1)), milliseconds(1500));
  if (random.chance(350)) plan.partition = strikes(random, seconds(1), seconds(6));
  if (random.chance(300)) plan.lane_cut = strikes(random, milliseconds(300), Duration{0});
  if (random.chance(300)) plan.results_cut = strikes(random, milliseconds(300), Duration{0});
  plan.holds_for_dead = random.chance(500);
  if (random.chance(100)) plan.foreign_results = strikes(random, milliseconds(300), Duration{0});
}

void draw_processes(Plan& plan, Random& random) {
  const Duration pause = plan.heartbeat * 6;
  if (random.chance(300)) plan.worker_pause = strikes(random, seconds(1), pause);
  if (random.chance(250)) plan.ventilator_pause = strikes(random, seconds(2), pause);
  if (random.chance(250)) plan.sink_pause = strikes(random, seconds(2), pause);
  if (random.chance(400)) plan.worker_kill = strikes(random, milliseconds(400), seconds(3));
  if (random.chance(350)) plan.ventilator_kill = strikes(random, seconds(1), seconds(5));
  if (random.chance(350)) plan.sink_kill = strikes(random, seconds(1), seconds(5));
  if (random.chance(200)) plan.drain = strikes(random, seconds(1), seconds(2));
  if (random.chance(350)) plan.killed_at_points = random.between(1, 60);
  if (random.chance(300)) plan.worker_late = random.between(Duration{0}, plan.faults_last);
  if (random.chance(250)) plan.disk_full = strikes(random, seconds(2), seconds(5));
  if (random.chance(200)) plan.frontier_refused = random.between(1, 700);
}

// With a worker that is slow, so that somebody is hedged.
void draw_hedging(Plan& plan) {
  Random random(mix(plan.seed) ^ 0x4ED6);
  plan.slowness.assign(plan.slots.size(), 1);
  if (plan.hosts.limits() || plan.slots.size() < 2 || !random.chance(300)) return;
  proto::HedgePolicy& hedge = plan.hedge.emplace();
  if (random.chance(500)) hedge.set_percent(static_cast<std::uint32_t>(random.between(101, 400)));
  hedge.set_limit_percent(static_cast<std::uint32_t>(random.between(1, 50)));
  if (random.chance(800)) plan.slowness[random.below(plan.slots.size())] = random.between(2, 20);
}

// By a source of its own: what a seed draws elsewhere stays what it was.
void draw_policies(Plan& plan) {
  Random random(mix(plan.seed) ^ 0x90C1);
  if (random.chance(150)) {
    proto::Halt& halt = plan.halt.emplace();
    halt.set_level(random.chance(500) ? proto::STOP_RUNNING : proto::STOP_QUEUED);
    halt.set_what(static_cast<proto::Halt::What>(random.between(1, 3)));
    if (random.chance(300)) {
      halt.set_percent(static_cast<std::uint32_t>(random.between(1, 100)));
    } else {
      halt.set_jobs(random.between(1, plan.jobs + 1));
    }
  }
  if (!plan.halt && random.chance(150)) {
    plan.group_jobs = random.between(1, 8);
    proto::Halt& halt = plan.halt.emplace();
    halt.set_level(proto::STOP_RUNNING);
    halt.set_what(proto::Halt::OK);
    halt.set_jobs(random.between(1, 2));
    halt.set_per_group(true);
  }
  if (random.chance(150)) plan.max_running = random.between(1, 6);
  if (random.chance(100)) plan.rate = static_cast<double>(random.between(10, 1000));
  if (random.chance(300)) plan.attempts = static_cast<std::uint32_t>(random.between(2, 4));
  draw_hedging(plan);
}

}  // namespace

Plan draw_plan(std::uint64_t seed) {
  Random random(seed);
  Plan plan;
  plan.seed = seed;
  plan.faults_last = random.between(Duration(seconds(3)), seconds(30));
  plan.latency_least = microseconds(30);
  plan.latency_most = random.chance(700) ? Duration(milliseconds(1))
                                         : random.between(Duration(milliseconds(1)), milliseconds(60));
  plan.commit_longest =
      random.chance(700) ? Duration(milliseconds(4)) : random.between(Duration{0}, milliseconds(300));
  plan.commit_window = random.between(Duration{0}, milliseconds(20));
  plan.reuses_ports = random.chance(600);
  draw_run(plan, random);
  draw_policies(plan);
  if (random.chance(30)) {
    plan.poison.clear();
    return plan;  // a calm one
  }
  draw_network(plan, random);
  draw_processes(plan, random);
  return plan;
}

bool Plan::deaths_are_honest() const {
  return worker_pause.every.count() == 0 && ventilator_pause.every.count() == 0 &&
         worker_kill.every.count() == 0 && partition.every.count() == 0 && lost == 0;
}

bool Plan::undisturbed_leases() const {
  return deaths_are_honest() && poison.empty() && reordered == 0 && ventilator_kill.every.count() == 0 &&
         killed_at_points == 0 && !dies_of_interrupt;
}

bool Plan::calm() const {
  return deaths_are_honest() && duplicated == 0 && reordered == 0 && lane_cut.every.count() == 0 &&
         results_cut.every.count() == 0 && sink_pause.every.count() == 0 &&
         ventilator_kill.every.count() == 0 && sink_kill.every.count() == 0 && drain.every.count() == 0 &&
         killed_at_points == 0 && !dies_of_interrupt && poison.empty() && disk_full.every.count() == 0 &&
         frontier_refused == 0;
}

SpooledJob Plan::spooled_job(JobId job) const {
  SpooledJob spooled;
  spooled.host = host_of(job);
  if (group_jobs == 0) return spooled;
  spooled.group = group_of(job);
  spooled.priority = static_cast<std::int32_t>(mix(seed ^ (job * 17 + 7)) % 3);
  return spooled;
}

std::string Plan::host_of(JobId job) const {
  return "host" + std::to_string(mix(seed ^ (job * 3 + 1)) % host_count) + ":80";
}

Status Plan::truth_of(JobId job) const {
  return mix(seed ^ (job * 5 + 2)) % 1000 < failing ? Status::kFailed : Status::kOk;
}

bool Plan::passing_at(JobId job, std::uint32_t attempt) const {
  const std::uint64_t drawn = mix(seed ^ (job * 13 + 6));
  if (truth_of(job) == Status::kFailed) return drawn % 2 == 0;
  return attempts > 1 && attempt <= drawn % attempts;  // the last one at the latest is ok
}

std::optional<Duration> Plan::busy_at(JobId job, std::uint32_t attempt) const {
  if (!hosts.limits() || seed % 3 != 0 || !passing_at(job, attempt)) return std::nullopt;
  const std::uint64_t drawn = mix(seed ^ (job * 17 + attempt));
  return drawn % 2 == 0 ? Duration{0} : Duration(milliseconds(drawn % 500));
}

Duration Plan::duration_of(JobId job) const {
  const auto spread = static_cast<std::uint64_t>((job_longest - job_shortest).count()) + 1;
  return job_shortest + Duration(static_cast<Duration::rep>(mix(seed ^ (job * 7 + 3)) % spread));
}

Duration Plan::duration_at(std::size_t worker, JobId job) const {
  return duration_of(job) * static_cast<Duration::rep>(slowness[worker]);
}

}  // namespace fantail::sim
