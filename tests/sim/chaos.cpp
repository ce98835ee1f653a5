// What the plan does to the run: who is killed, paused and cut off, and when.
#include <algorithm>

#include "pipeline/column.h"
#include "tests/sim/world.h"

namespace fantail::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kSupervises = milliseconds(200);

}  // namespace

void World::begin_chaos() {
  ventilator.launch();
  sink.launch();
  for (std::size_t index = 0; index < workers_.size(); ++index) {
    Duration late = random.between(Duration{0}, milliseconds(500));
    if (plan.worker_late.count() > 0 && random.chance(500)) {
      late = plan.worker_late;
      count(Fault::kWorkerLate);
    }
    ++starting_[kFirstWorker + index];
    scheduler.after(late, [this, index] {
      --starting_[kFirstWorker + index];
      worker(index).launch();
    });
  }
  strike_processes();
  strike_network();
  for (const auto& at : {plan.interrupt_at, plan.interrupt_again_at}) {
    if (at) scheduler.after(*at, [this] { ventilator.interrupt(); });
  }
  if (plan.deadline) scheduler.after(*plan.deadline, [this] { count(Fault::kDeadline); });
  scheduler.after(plan.faults_last, [this] { heal(); });
  scheduler.after(kSupervises, [this] { supervise(); });
}

void World::strike(const Strikes& strikes, const std::function<void()>& what) {
  if (strikes.every.count() == 0) return;
  scheduler.after(random.between(Duration{0}, strikes.every * 2), [this, strikes, what] {
    if (!faulty_) return;
    what();
    strike(strikes, what);
  });
}

void World::strike_processes() {
  const auto some_worker = [this]() -> SimWorker& { return worker(random.below(workers_.size())); };
  const auto pauses = [this](Process& process, const Strikes& strikes, Fault fault) {
    if (!process.alive() || process.paused()) return;
    count(fault);
    note("pause", static_cast<std::uint64_t>(fault));
    process.pause(random.between(Duration(milliseconds(10)), strikes.longest + milliseconds(10)));
  };
  strike(plan.worker_pause, [=, this] { pauses(some_worker(), plan.worker_pause, Fault::kWorkerPaused); });
  strike(plan.ventilator_pause,
         [=, this] { pauses(ventilator, plan.ventilator_pause, Fault::kVentilatorPaused); });
  strike(plan.sink_pause, [=, this] { pauses(sink, plan.sink_pause, Fault::kSinkPaused); });
  const auto kills = [this](Process& process, Fault fault) {
    if (!process.alive()) return;
    count(fault);
    kill(process);
  };
  strike(plan.worker_kill, [=] { kills(some_worker(), Fault::kWorkerKilled); });
  strike(plan.ventilator_kill, [=, this] { kills(ventilator, Fault::kVentilatorKilled); });
  strike(plan.sink_kill, [=, this] { kills(sink, Fault::kSinkKilled); });
  strike(plan.drain, [=, this] {
    SimWorker& drained = some_worker();
    if (!drained.alive()) return;
    count(Fault::kWorkerDrained);
    drained.drain();
  });
  strike(plan.disk_full, [this] { sink.fill_disk(random.between(Duration{0}, plan.disk_full.longest)); });
}

void World::strike_network() {
  strike(plan.partition, [this] {
    const auto parties = kFirstWorker + workers_.size();
    const Party one = random.below(parties);
    const Party other = (one + 1 + random.below(parties - 1)) % parties;
    const Duration duration = random.between(Duration{0}, plan.partition.longest);
    const bool drops = random.chance(500);
    network.partition(one, other, duration, drops);
    if (random.chance(600)) network.partition(other, one, duration, drops);
    note("partition", one, other);
  });
  strike(plan.lane_cut, [this] {
    if (ventilator.alive()) ventilator.cut_lane(random.next());
  });
  strike(plan.foreign_results, [this] {
    auto results = std::make_shared<proto::Results>();
    results->set_run_id("simulated-run-99");
    results->set_worker_id("worker-9-foreign");
    results->set_first_job(random.below(plan.jobs + 1));
    results->set_count(1);
    append_to(*results->mutable_inputs(), "of another run");
    count(Fault::kForeignResults);
    sink.receive_results(sink.life(), std::move(results));
  });
  strike(plan.results_cut, [this] {
    SimWorker& cut = worker(random.below(workers_.size()));
    if (!cut.alive()) return;
    count(Fault::kResultsCut);
    cut.cut_results();
  });
}

void World::kill(Process& process) {
  const bool is_sink = &process == &sink;
  note("kill", is_sink ? 1 : &process == &ventilator ? 0 : 2);
  process.kill();
  if (is_sink && random.chance(700)) {
    scheduler.after(random.between(Duration{0}, milliseconds(50)), [this] { ventilator.sink_gone(); });
  }
}

void World::start_later(Process& process, Duration longest) {
  const Party party = &process == &ventilator ? kVentilator
                      : &process == &sink     ? kSink
                                              : static_cast<SimWorker&>(process).party();
  if (process.alive() || starting_[party] > 0) return;
  ++starting_[party];
  const Duration most = faulty_ ? longest : std::min<Duration>(longest, milliseconds(500));
  scheduler.after(random.between(Duration{0}, most), [this, &process, party] {
    --starting_[party];
    if (process.alive()) return;
    note("start", party);
    process.launch();
    if (party != kVentilator) return;
    for (auto& deliver : std::exchange(held_for_ventilator_, {}))
      scheduler.after(random.between(Duration{0}, milliseconds(100)), std::move(deliver));
  });
}

// Whoever is needed and not there is started again, by people or by a script.
void World::supervise() {
  const Duration shortly = milliseconds(500);
  if (!ventilator.alive() && !ventilator.exited())
    start_later(ventilator, plan.ventilator_kill.longest + shortly);
  if (!sink.alive() && !over()) {
    const bool needed =
        !sink.exited() || (!ventilator.exited() && !spool.ended && !ledger.books.acknowledged());
    if (needed) start_later(sink, plan.sink_kill.longest + shortly);
  }
  for (const auto& each : workers_) {
    if (!each->alive()) start_later(*each, plan.worker_kill.longest + shortly);
  }
  scheduler.after(kSupervises, [this] { supervise(); });
}

void World::heal() {
  faulty_ = false;
  network.heal();
  sink.free_disk();
  note("healed");
}

}  // namespace fantail::sim
