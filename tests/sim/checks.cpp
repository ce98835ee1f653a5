// What must hold, while the run goes on and at its end.
#include <algorithm>
#include <numeric>

#include "pipeline/halt.h"
#include "sink/efficiency.h"
#include "sink/kinds/kind.h"
#include "tests/sim/world.h"

namespace fantail::sim {

namespace {

Outcome outcome_of(JobId job, const std::string& input, Status status) {
  Outcome outcome;
  outcome.job = job;
  outcome.input = input;
  outcome.status = status;
  return outcome;
}

}  // namespace

// Nothing is invented: a row says what the job's execution said, or what somebody had a right to say instead.
void World::check_row(JobId job, const SimRow& row) {
  const std::string name = "job " + std::to_string(job);
  if (job >= spool.spooled) return fail(name + " was never submitted and has an outcome");
  if (row.input != plan.input_of(job)) return fail(name + " has another job's input");
  const bool stopped = row.status == Status::kCancelled || row.status == Status::kExpired;
  if (stopped) {
    if (row.status == Status::kCancelled && !stop_asked_ && !goal_reached() && plan.group_jobs == 0)
      fail(name + " is cancelled and nobody asked for that");
    if (row.status == Status::kExpired && !plan.deadline) fail(name + " is expired and there is no deadline");
  } else if (row.error_code == "quarantined") {
    count(Fault::kQuarantined);
    const auto deaths = spool.deaths.find(job);
    if (plan.deaths_max == 0 || deaths == spool.deaths.end() || deaths->second.total < plan.deaths_max ||
        deaths->second.alone == 0) {
      fail(name + " is quarantined without the deaths that this takes");
    }
    if (plan.deaths_are_honest() && !plan.poison.contains(job))
      fail(name + " is quarantined and no worker dies of it");
  } else if (row.error_code == "given up") {
    if (!plan.deadline || plan.attempts == 1) fail(name + " was given up without a reason");
  } else if (row.status == Status::kFailed && plan.passing_at(job, row.attempt) && may_be_stopped()) {
    // A run that is being stopped has no more attempts.
  } else if (row.attempt == 0 || row.status != plan.truth_of(job)) {
    fail(name + " has an outcome that no execution had");
  } else if (plan.poison.contains(job)) {
    fail(name + " has an outcome, but every worker dies of it");
  }
}

void World::on_started(JobId job) {
  ++verdicts_.executions;
  Running& now_running = running_[job];
  if (++now_running.slots == 2) now_running.twice_since = scheduler.now();
  if (now_running.slots > 2 && plan.undisturbed_leases())
    fail("job " + std::to_string(job) + " runs three times at once");
  if (plan.max_running == 0 || !plan.calm()) return;
  std::size_t running = 0;
  for (const auto& worker : workers_)
    running += worker->running_jobs();
  if (running > plan.max_running)
    fail("job " + std::to_string(job) + " starts as the " + std::to_string(running) + "th that runs");
}

void World::on_stopped(JobId job) {
  Running& now_running = running_[job];
  if (now_running.slots-- == 2) ran_twice_ += scheduler.now() - now_running.twice_since;
}

void World::check_copy(JobId job, std::size_t worker, Duration work) {
  const bool first = verdicts_.faults.of(Fault::kCopyGiven) == 0;
  const std::string name = "job " + std::to_string(job);
  count(Fault::kCopyGiven);
  if (!plan.hedge) return fail(name + " has a copy, and the run is not hedged");
  if (workers_[worker]->has(job) && plan.undisturbed_leases())
    fail(name + " is copied to the worker that has it");
  if (first || !plan.undisturbed_leases()) return;
  Duration extra = ran_twice_;
  for (const auto& [id, each] : running_) {
    if (each.slots > 1) extra += scheduler.now() - each.twice_since;
  }
  if (extra > work * plan.hedge->limit_percent() / 100)
    fail(name + " is copied although copies have cost more than they may");
}

bool World::may_be_stopped() const {
  return stop_asked_ || plan.deadline || goal_reached();
}

bool World::goal_reached() const {
  if (!plan.halt || plan.halt->per_group()) return false;
  const proto::Books& books = ledger.books;
  // The sink may know that all is submitted before its ledger does.
  const auto jobs = jobs_to_halt(*plan.halt, books.closed() ? books.submitted() : plan.jobs);
  const std::uint64_t counted = plan.halt->what() == proto::Halt::FAILED ? books.failed()
                                : plan.halt->what() == proto::Halt::OK   ? books.ok()
                                                                         : books.ok() + books.failed();
  return jobs && counted >= *jobs;
}

// The ventilator is told that the run is done.
void World::check_complete() {
  if (!ledger.books.ended()) fail("the end of the run is told before it is durable");
  const std::uint64_t submitted = ledger.books.submitted();
  const auto missing = ledger.done.missing_from({0, submitted});
  if (!missing.empty()) {
    fail("the run is done without job " + std::to_string(missing.front().first) + " of " +
         std::to_string(submitted) + ", of which " + std::to_string(ledger.done.size()) +
         " are done; it ended by " + std::to_string(ledger.books.own_end()));
  }
}

void World::check_end() {
  // A sink whose ventilator is silent when the deadline has passed ends the run with the jobs that it was
  // told of.
  const bool ended_alone =
      ledger.books.own_end() != proto::RUN_END_NONE && ledger.books.submitted() < spool.spooled;
  if (!ended_alone && !check_all_done()) return;
  if (ventilator.exit_code() != sink.exit_code()) {
    return fail("the ventilator exits with " + std::to_string(ventilator.exit_code().value_or(-1)) +
                ", the sink with " + std::to_string(sink.exit_code().value_or(-1)));
  }
  check_books(ended_alone);
  check_goal();
  check_undisturbed();
  check_deaths();
  check_slot_time();
}

// Each job that was spooled has an outcome.
bool World::check_all_done() {
  const auto missing = ledger.done.missing_from({0, spool.spooled});
  if (!missing.empty()) {
    fail("job " + std::to_string(missing.front().first) + " is lost: " + std::to_string(spool.spooled) +
         " were spooled");
  } else if (ledger.done.size() != spool.spooled) {
    fail("the ledger has jobs that nobody spooled");
  } else {
    return true;
  }
  return false;
}

// The sink's figures are those of its rows.
void World::check_books(bool ended_alone) {
  const proto::Books& books = ledger.books;
  Digest digest;
  const std::unique_ptr<Kind> kind = make_kind(spec_.kind());
  std::uint64_t counts[5] = {};
  for (const auto& [job, row] : ledger.rows) {
    digest.add(kind->add(outcome_of(job, row.input, row.status)));
    ++counts[static_cast<std::size_t>(row.status)];
  }
  for (const auto& [job, status] : ledger.without_rows)
    ++counts[static_cast<std::size_t>(status)];
  if (digest.low != books.digest_low() || digest.high != books.digest_high())
    return fail("the digest is not that of the rows");
  if (kind->save() != ledger.aggregate) return fail("the aggregate is not that of the rows");
  if (counts[1] != books.ok() || counts[2] != books.failed() || counts[3] != books.cancelled() ||
      counts[4] != books.expired()) {
    return fail("the counts are not those of the rows");
  }
  if (!ended_alone && books.submitted() != spool.spooled) {
    return fail("the sink counts " + std::to_string(books.submitted()) + " submitted jobs, the spool " +
                std::to_string(spool.spooled));
  }
  const std::uint64_t sum = books.ok() + books.failed() + books.cancelled() + books.expired();
  if (sum != books.submitted()) fail("the books do not balance");
}

// Where nobody stopped the run, its outcome is that of a run without faults.
void World::check_undisturbed() {
  if (may_be_stopped()) return;
  if (spool.spooled != plan.jobs) return fail("the run ended before its input did");
  if (plan.group_jobs > 0) return check_groups();
  Digest digest;
  const std::unique_ptr<Kind> kind = make_kind(spec_.kind());
  for (JobId job = 0; job < plan.jobs; ++job) {
    const auto row = ledger.rows.find(job);
    const bool quarantined = row != ledger.rows.end() && row->second.error_code == "quarantined";
    digest.add(
        kind->add(outcome_of(job, plan.input_of(job), quarantined ? Status::kFailed : plan.truth_of(job))));
  }
  if (digest.low != ledger.books.digest_low() || digest.high != ledger.books.digest_high())
    return fail("the digest is not that of an undisturbed run");
  if (!plan.calm() || plan.attempts > 1) return;
  const std::uint64_t most = plan.jobs + ledger.books.facts().hedged().copies();
  if (verdicts_.executions < plan.jobs || verdicts_.executions > most || ledger.books.duplicates() > 0)
    fail(std::to_string(verdicts_.executions) + " executions of " + std::to_string(plan.jobs) +
         " jobs although nothing happened");
}

// A group ends with its winners; without them all its jobs were tried.
void World::check_groups() {
  for (JobId first = 0; first < plan.jobs; first += plan.group_jobs) {
    std::uint64_t ok = 0, could = 0;
    bool cancelled = false;
    for (JobId job = first; job < std::min(first + plan.group_jobs, plan.jobs); ++job) {
      const auto row = ledger.rows.find(job);
      const Status status = row == ledger.rows.end() ? Status::kCancelled : row->second.status;
      const bool quarantined = row != ledger.rows.end() && row->second.error_code == "quarantined";
      if (status == Status::kOk) ++ok;
      if (status == Status::kCancelled) cancelled = true;
      if (plan.truth_of(job) == Status::kOk && !quarantined) ++could;
    }
    if (ok < std::min(plan.halt->jobs(), could) || (cancelled && ok < plan.halt->jobs()))
      return fail(plan.group_of(first) + " ended without its winners");
  }
}

// A run whose goal was reached says so, and no other one does.
void World::check_goal() {
  const proto::RunEnd end = ledger.books.own_end();
  const bool halted = end == proto::RUN_END_GOAL || end == proto::RUN_END_HALTED;
  if (halted) count(Fault::kGoalReached);
  if (halted && !goal_reached()) fail("the run was halted before its goal was reached");
}

// No moment is counted twice, whoever died; and where nothing happened, slots had the jobs that they worked
// on.
void World::check_slot_time() {
  const proto::Books& books = ledger.books;
  const proto::SlotTime& times = books.facts().slot_time();
  const auto sum = [](const auto& column) {
    return std::accumulate(column.begin(), column.end(), std::uint64_t{0});
  };
  const std::uint64_t measured = sum(times.binding_us());
  const Duration lasted = scheduler.now() - (Instant{} + std::chrono::hours(1));
  if (measured > static_cast<std::uint64_t>(lasted.count())) fail("more slot time was measured than passed");
  const WorkTime work{books.work_us() - books.stopped_work_us(), books.stopped_work_us(),
                      books.facts().retried_us(), books.facts().hedged().lost_us()};
  const std::uint64_t wall = books.has_last_commit_at() && books.has_first_dispatch_at()
                                 ? static_cast<std::uint64_t>(std::max<std::int64_t>(
                                       books.last_commit_at() - books.first_dispatch_at(), 0))
                                 : 0;
  const auto efficiency = measure_efficiency(times, work, wall);
  if (!efficiency || !plan.calm()) return;
  const std::uint64_t slots = std::accumulate(plan.slots.begin(), plan.slots.end(), std::uint64_t{0});
  const std::uint64_t worked = work.final_us + work.stopped_us + work.retried_us;
  if (worked > times.slots_us(proto::SLOT_HAS_JOB)) fail("slots worked for longer than they had jobs");
  if (efficiency->total_us() > measured * slots) fail("there was more slot time than slots");
  if (measured < wall) fail("slot time was not measured for the whole run");
}

void World::check_deaths() {
  if (may_be_stopped()) return;
  for (const JobId job : plan.poison) {
    const auto row = ledger.rows.find(job);
    // A group may be won before its poison has killed enough.
    if (plan.group_jobs > 0 && row != ledger.rows.end() && row->second.status == Status::kCancelled) continue;
    if (plan.deaths_max > 0 && (row == ledger.rows.end() || row->second.error_code != "quarantined"))
      fail("job " + std::to_string(job) + " kills workers and is not quarantined");
  }
}

}  // namespace fantail::sim
