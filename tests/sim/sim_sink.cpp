#include "tests/sim/sim_sink.h"

#include <algorithm>

#include "tests/sim/world.h"

namespace fantail::sim {

namespace {

using std::chrono::milliseconds;

constexpr Duration kTryAgainAfter = milliseconds(100);
constexpr std::uint32_t kDataPort = 5559;

}  // namespace

void SimSink::begin() {
  SimLedger& ledger = world_.ledger;
  const Instant now = world_.scheduler.now();
  CollectorPolicy policy;
  if (!world_.planted(Bug::kSinkEpochStays) || ledger.epoch == 0) ++ledger.epoch;
  policy.epoch = ledger.epoch;
  policy.data_port = kDataPort;
  collector_.emplace(policy, now);
  data_.clear();
  control_.clear();
  workers_.clear();
  ventilator_life_ = 0;
  staged_ = {};
  writing_ = {};
  committing_ = false;
  books_changed_ = false;
  ends_ = false;
  stuck_ = false;
  if (ledger.has_run) {
    const KeptRun kept{ledger.spec, ledger.books, replayed_aggregate(),
                       world_.planted(Bug::kDedupInMemory) ? RangeSet{} : ledger.done};
    if (!collector_->restore(kept, Duration{0}, now)) world_.fail("the sink cannot read its ledger");
    ends_ = collector_->run_ended();  // the report is written again
  }
  world_.on_sink_up();
}

std::string SimSink::replayed_aggregate() const {
  const SimLedger& ledger = world_.ledger;
  if (!world_.planted(Bug::kReplaysTwice)) return ledger.aggregate;
  const std::unique_ptr<Kind> kind = make_kind(ledger.spec.kind());
  kind->load(ledger.aggregate);
  for (const auto& [job, row] : ledger.rows) {
    Outcome outcome;
    outcome.job = job;
    outcome.status = row.status;
    kind->add(outcome);
  }
  return kind->save();
}

Instant SimSink::turn() {
  const Instant now = world_.scheduler.now();
  const bool more = receive_data(now);
  receive_control(now);
  const Instant wake = collector_->on_tick(now, *this, *this);
  if (collector_->exit_code()) {
    last_run_exit_code_ = *collector_->exit_code();
    exit_code_ = last_run_exit_code_;
    if (now >= full_until_ && collector_->run_open()) {
      take_snapshot();
      write_commit();
    }
    world_.note("sink exits", static_cast<std::uint64_t>(*exit_code_));
    exit();
    return kNever;
  }
  if (commit_due(now, more)) {
    begin_commit();
    return stuck_ ? now + kTryAgainAfter : kNever;
  }
  if (!control_.empty() || (!stuck_ && !data_.empty())) return now;
  if (collector_->has_uncommitted() && !committing_)
    return std::min(wake, staged_since_ + world_.plan.commit_window);
  return wake;
}

bool SimSink::receive_data(Instant now) {
  bool any = false;
  for (int count = 0; count < kMessagesPerTurn && !stuck_ && !data_.empty(); ++count) {
    proto::Results results = *data_.front();
    data_.pop_front();
    if (world_.planted(Bug::kTakesForeignResults)) results.set_run_id(world_.run_spec().run_id());
    if (world_.planted(Bug::kDropsWhenBusy) && !data_.empty()) {
      // Its columns go; its sender is told that all is well.
      proto::Results empty;
      empty.set_run_id(results.run_id());
      empty.set_worker_id(results.worker_id());
      empty.set_sequence(results.sequence());
      results = std::move(empty);
    }
    if (!collector_->has_uncommitted()) staged_since_ = now;
    collector_->on_results(results, now, *this);
    any = true;
  }
  return any;
}

void SimSink::receive_control(Instant now) {
  for (int count = 0; count < kMessagesPerTurn && !control_.empty(); ++count) {
    const Control control = std::move(control_.front());
    control_.pop_front();
    if (control.worker) {
      workers_.insert_or_assign(control.from_worker->worker_id(), *control.worker);
      collector_->on_worker(*control.from_worker, *this);
      continue;
    }
    ventilator_life_ = control.ventilator;
    if (!collector_->has_uncommitted()) staged_since_ = now;
    collector_->on_ventilator(*control.from_ventilator, now, *this, *this);
  }
}

// ---- commits

bool SimSink::commit_due(Instant now, bool more) const {
  if (committing_) return false;
  if (ends_ || books_changed_) return true;
  if (!collector_->has_uncommitted()) return false;
  return !more || now >= staged_since_ + world_.plan.commit_window;
}

// It goes on beside the turns that follow.
void SimSink::begin_commit() {
  const Instant now = world_.scheduler.now();
  stuck_ = now < full_until_;
  if (stuck_) {
    world_.count(Fault::kDiskFull);
    if (world_.planted(Bug::kIgnoresFullDisk)) {
      collector_->begin_commit();
      collector_->on_committed(now, *this);
    }
    return;
  }
  if (dies_here(Fault::kKilledBeforeCommit)) return;
  if (collector_->run_open()) take_snapshot();
  committing_ = true;
  const bool durable_at_once = world_.random.chance(500);
  if (world_.planted(Bug::kAcknowledgesBeforeCommit)) collector_->on_committed(now, *this);
  if (durable_at_once) write_commit();
  const Duration lasts = world_.random.between(Duration{0}, world_.plan.commit_longest);
  world_.scheduler.after(lasts, [this, life = life(), durable_at_once] {
    if (alive(life)) end_commit(durable_at_once);
  });
}

void SimSink::take_snapshot() {
  collector_->begin_commit();
  books_changed_ = false;
  books_ = collector_->books(world_.scheduler.now());
  aggregate_ = collector_->kind()->save();
  writing_.rows.merge(staged_.rows);
  writing_.without_rows.merge(staged_.without_rows);
}

void SimSink::end_commit(bool durable) {
  if (paused()) {
    world_.scheduler.at(paused_until(), [this, life = life(), durable] {
      if (alive(life)) end_commit(durable);
    });
    return;
  }
  if (!durable) write_commit();
  if (dies_here(Fault::kKilledAfterCommit)) return;
  committing_ = false;
  tell_committed();
  wake();
}

// All in one transaction.
void SimSink::write_commit() {
  SimLedger& ledger = world_.ledger;
  if (!collector_->run_open()) return;
  ledger.has_run = true;
  ledger.spec = world_.run_spec();
  ledger.books = books_;
  ledger.aggregate = aggregate_;
  if (world_.planted(Bug::kTornCommit) && dies_here(Fault::kKilledAfterCommit)) return;
  for (auto& [job, row] : std::exchange(writing_.rows, {})) {
    world_.note("commits job", job, static_cast<std::uint64_t>(row.status));
    ledger.done.insert(job);
    ledger.rows.emplace(job, std::move(row));
  }
  for (const auto& [job, status] : std::exchange(writing_.without_rows, {})) {
    ledger.done.insert(job);
    ledger.without_rows.emplace(job, status);
  }
}

void SimSink::tell_committed() {
  const Instant now = world_.scheduler.now();
  collector_->on_committed(now, *this);
  // An end that came meanwhile is for the next commit.
  if (!ends_ || collector_->has_uncommitted() || !alive()) return;
  ends_ = false;
  if (dies_here(Fault::kKilledReporting)) return;
  last_run_exit_code_ = collector_->run_exit_code();
  collector_->on_report_written(now, *this);
}

bool SimSink::dies_here(Fault fault) {
  if (!world_.strikes_at_point(1)) return false;
  world_.count(fault);
  world_.kill(*this);
  return true;
}

void SimSink::fill_disk(Duration duration) {
  full_until_ = world_.scheduler.now() + duration;
}

void SimSink::free_disk() {
  full_until_ = world_.scheduler.now();
  wake();
}

// ---- messages

void SimSink::receive_results(std::uint64_t life, std::shared_ptr<const proto::Results> results) {
  if (!alive(life)) return world_.count(Fault::kResultsLost);
  data_.push_back(std::move(results));
  wake();
}

void SimSink::receive_worker(std::size_t worker, std::uint64_t life,
                             std::shared_ptr<const proto::WorkerToSink> message) {
  deliver({Peer{worker, life}, 0, std::move(message), nullptr});
}

void SimSink::receive_ventilator(std::uint64_t life, std::shared_ptr<const proto::VentilatorToSink> message) {
  deliver({std::nullopt, life, nullptr, std::move(message)});
}

void SimSink::deliver(const Control& control) {
  if (!alive()) {
    if (world_.plan.holds_for_dead) {
      world_.hold_for_sink([this, control] {
        const bool sender_lives = control.worker
                                      ? world_.worker(control.worker->worker).alive(control.worker->life)
                                      : world_.ventilator.alive(control.ventilator);
        if (sender_lives && alive()) deliver(control);
      });
    }
    return;
  }
  control_.push_back(control);
  wake();
}

void SimSink::send_to_worker(const std::string& worker_id, const proto::SinkToWorker& message) {
  const auto peer = workers_.find(worker_id);
  if (!alive()) return;
  if (message.has_durable()) check_durable(worker_id, message.durable());
  if (peer == workers_.end()) return;
  SimWorker& worker = world_.worker(peer->second.worker);
  world_.network.control(
      kSink, worker.party(),
      [&worker, life = peer->second.life, copy = std::make_shared<const proto::SinkToWorker>(message)] {
        worker.receive_sink(life, copy);
      });
}

void SimSink::send_to_ventilator(const proto::SinkToVentilator& message) {
  if (!alive()) return;
  if (message.has_log()) check_log(message.log());
  world_.note("sink to ventilator", static_cast<std::uint64_t>(message.message_case()),
              message.log().question());
  if (message.has_done()) world_.check_complete();
  world_.network.control(
      kSink, kVentilator,
      [this, life = ventilator_life_, copy = std::make_shared<const proto::SinkToVentilator>(message)] {
        world_.ventilator.receive_sink(life, copy);
      });
}

void SimSink::begin_run(const proto::RunSpec&) {
  books_changed_ = true;
}

// ---- rows

void SimSink::record(const Kind&, const Outcome& outcome) {
  if (staged_.rows.contains(outcome.job) || staged_.without_rows.contains(outcome.job) ||
      world_.ledger.done.contains(outcome.job)) {
    world_.fail("job " + std::to_string(outcome.job) + " is recorded twice");
  }
  SimRow row{outcome.status, outcome.attempt, std::string(outcome.input), std::string(outcome.error_code)};
  world_.check_row(outcome.job, row);
  staged_.rows[outcome.job] = std::move(row);
}

void SimSink::record_without_rows(JobSpan jobs, Status status) {
  for (JobId job = jobs.first; job < jobs.end; ++job) {
    if (staged_.rows.contains(job) || staged_.without_rows.contains(job) || world_.ledger.done.contains(job))
      world_.fail("job " + std::to_string(job) + " is recorded twice");
    staged_.without_rows[job] = status;
  }
}

// ---- checks

void SimSink::check_log(const proto::RunLog& log) {
  for (const proto::JobRange& range : log.done()) {
    if (!world_.ledger.done.missing_from({range.first(), range.first() + range.count()}).empty())
      world_.fail("the ventilator is told of jobs that are not durable, from " +
                  std::to_string(range.first()));
  }
}

void SimSink::check_durable(const std::string& worker_id, const proto::ResultsDurable& durable) {
  const SimWorker& worker = world_.worker(world_.worker_of(worker_id));
  if (!worker.alive() || worker.id() != worker_id) return;
  // Where the sink ended the run alone, what still comes is too late and only taken off the worker's hands.
  if (world_.ledger.books.ended()) return;
  for (const std::uint64_t sequence : durable.sequences()) {
    const auto sent = worker.sent_results().find(sequence);
    if (sent == worker.sent_results().end()) {
      world_.fail("results are acknowledged that nobody sent");
      continue;
    }
    for (const JobId job : sent->second) {
      if (!world_.ledger.done.contains(job))
        world_.fail("job " + std::to_string(job) + " is acknowledged before it is durable");
    }
  }
}

}  // namespace fantail::sim
