#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>

#include "pipeline/halt.h"

namespace fantail::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kTracePrime = 0x100000001B3ULL;
constexpr std::size_t kHeldMost = 1000;  // ZeroMQ's high-water mark

Duration since_start(Instant now) {
  return now - (Instant{} + std::chrono::hours(1));
}

}  // namespace

World::World(Plan the_plan, bool prints, Bug bug)
    : plan(std::move(the_plan)),
      random(mix(plan.seed) ^ 0xF1A5),
      prints_(prints),
      planted_(bug),
      starting_(kParties) {
  spec_.set_run_id("simulated-run-00");
  spec_.mutable_kind()->mutable_echo();
  if (plan.halt) *spec_.mutable_policy()->mutable_halt() = *plan.halt;
  spec_.mutable_policy()->set_attempts(plan.attempts);
  if (plan.hedge) *spec_.mutable_policy()->mutable_hedge() = *plan.hedge;
  for (std::size_t index = 0; index < plan.slots.size(); ++index)
    workers_.push_back(std::make_unique<SimWorker>(*this, index, plan.slots[index]));
}

void World::note(const char* what, std::uint64_t first, std::uint64_t second) {
  std::uint64_t& trace = verdicts_.trace;
  for (const std::uint64_t value :
       {static_cast<std::uint64_t>(since_start(scheduler.now()).count()), first, second})
    trace = mix(trace * kTracePrime + value);
  if (prints_) {
    std::printf("%10.6f  %s %llu %llu\n", static_cast<double>(since_start(scheduler.now()).count()) / 1e6,
                what, static_cast<unsigned long long>(first), static_cast<unsigned long long>(second));
  }
}

void World::note_text(const char* who, const std::string& what) {
  note(who, what.size());
  if (prints_) std::printf("            %s\n", what.c_str());
}

void World::fail(const std::string& what) {
  if (verdicts_.failure.empty()) verdicts_.failure = what;
  if (prints_) std::printf("FAILS: %s\n", what.c_str());
}

bool World::strikes_at_point(std::uint64_t factor) {
  return faulty_ && plan.killed_at_points > 0 && random.chance(plan.killed_at_points * factor);
}

std::uint64_t World::input_available() const {
  if (plan.input_lasts.count() == 0) return plan.jobs;
  const Duration passed = std::min(since_start(scheduler.now()), plan.input_lasts);
  return plan.jobs * static_cast<std::uint64_t>(passed.count()) /
         static_cast<std::uint64_t>(plan.input_lasts.count());
}

bool World::over() const {
  return ventilator.exited() && sink.exited();
}

Duration World::time_to_complete() const {
  Duration work = plan.faults_last + seconds(60) + plan.job_longest;
  // All of it on one worker, or one host, where that is what there is, and one by one where workers died of
  // jobs.
  work += plan.job_longest * static_cast<Duration::rep>(plan.jobs) /
          (plan.deaths_max > 0 ? 1 : plan.slots.front());
  if (plan.hosts.limits())
    work += (plan.job_longest + plan.hosts.delay) * static_cast<Duration::rep>(plan.jobs) * 2;
  if (plan.max_running > 0) work += plan.job_longest * static_cast<Duration::rep>(plan.jobs);
  if (plan.rate > 0)
    work += seconds(static_cast<std::int64_t>(static_cast<double>(plan.jobs) / plan.rate) + 1);
  // Without a copy a slow worker takes its time, and who is slow may be the only one for a while.
  const auto slowest =
      static_cast<Duration::rep>(*std::max_element(plan.slowness.begin(), plan.slowness.end()));
  if (slowest > 1) work += plan.job_longest * slowest * static_cast<Duration::rep>(plan.jobs);
  work *= plan.attempts;
  return work + seconds(30) * static_cast<Duration::rep>(plan.poison.size());
}

// What the seed drew, for whoever replays it.
void World::print_plan() const {
  const auto ms = [](Duration duration) { return static_cast<double>(duration.count()) / 1000; };
  std::printf(
      "%llu jobs of %.3f .. %.3f ms, %zu workers, heartbeat %.0f ms, %zu poison, at most %u deaths%s\n",
      static_cast<unsigned long long>(plan.jobs), ms(plan.job_shortest), ms(plan.job_longest),
      plan.slots.size(), ms(plan.heartbeat), plan.poison.size(), plan.deaths_max,
      plan.hosts.limits() ? ", hosts limited" : "");
  std::printf(
      "lost %llu, doubled %llu, out of order %llu by %.0f ms; latency up to %.0f ms, commits up to %.0f ms\n",
      static_cast<unsigned long long>(plan.lost), static_cast<unsigned long long>(plan.duplicated),
      static_cast<unsigned long long>(plan.reordered), ms(plan.reordered_by), ms(plan.latency_most),
      ms(plan.commit_longest));
  std::printf(
      "faults last %.0f ms; every: partition %.0f, lane cut %.0f, results cut %.0f, pause %.0f %.0f %.0f, ",
      ms(plan.faults_last), ms(plan.partition.every), ms(plan.lane_cut.every), ms(plan.results_cut.every),
      ms(plan.ventilator_pause.every), ms(plan.sink_pause.every), ms(plan.worker_pause.every));
  if (plan.halt) std::printf("halt %s, ", format_halt(*plan.halt).c_str());
  std::printf("at most %llu running, %.0f starts a second, %u attempts; ",
              static_cast<unsigned long long>(plan.max_running), plan.rate, plan.attempts);
  if (plan.hedge)
    std::printf("hedged at %u %% (0: p95) up to %u %%, ", plan.hedge->percent(), plan.hedge->limit_percent());
  std::printf("kill %.0f %.0f %.0f, drain %.0f, disk full %.0f ms\n", ms(plan.ventilator_kill.every),
              ms(plan.sink_kill.every), ms(plan.worker_kill.every), ms(plan.drain.every),
              ms(plan.disk_full.every));
}

Verdicts World::run() {
  if (prints_) print_plan();
  begin_chaos();
  const Instant limit = scheduler.now() + plan.faults_last + time_to_complete();
  while (!over() && verdicts_.failure.empty()) {
    if (!scheduler.step() || scheduler.now() > limit) {
      fail("it does not complete: " + std::to_string(ledger.done.size()) + " of " +
           std::to_string(spool.spooled) + " jobs are done, ventilator " +
           (ventilator.exited() ? "gone" : "there") + ", sink " + (sink.exited() ? "gone" : "there"));
      break;
    }
    if (scheduler.steps() % 512 == 0) {
      note("ventilator's state", ventilator.state_hash());
      note("sink's state", sink.state_hash());
      for (const auto& each : workers_)
        note("worker's state", each->state_hash());
    }
  }
  if (verdicts_.failure.empty()) check_end();
  verdicts_.steps = scheduler.steps();
  verdicts_.jobs = ledger.done.size();
  verdicts_.duplicates = ledger.books.duplicates();
  return verdicts_;
}

// ---- what dead processes' sockets do

void World::deliver_to_ventilator(std::size_t index, std::uint64_t life, const FromWorker& message) {
  if (ventilator.alive()) return ventilator.receive_worker(index, life, message);
  if (!plan.holds_for_dead || held_for_ventilator_.size() >= kHeldMost) return;
  held_for_ventilator_.push_back([this, index, life, message] {
    if (!worker(index).alive(life) || !ventilator.alive()) return;
    count(Fault::kStaleDelivered);
    ventilator.receive_worker(index, life, message);
  });
}

void World::hold_for_sink(std::function<void()> deliver) {
  if (held_for_sink_.size() < kHeldMost) held_for_sink_.push_back(std::move(deliver));
}

void World::on_sink_up() {
  for (const auto& each : workers_)
    each->sink_up();
  for (auto& deliver : std::exchange(held_for_sink_, {})) {
    count(Fault::kStaleDelivered);
    scheduler.after(random.between(Duration{0}, milliseconds(100)), std::move(deliver));
  }
}

}  // namespace fantail::sim
