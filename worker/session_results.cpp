// How a session turns finished jobs into results messages.
#include <cmath>
#include <numeric>
#include <utility>

#include "pipeline/column.h"
#include "pipeline/job_ranges.h"
#include "worker/completion.h"
#include "worker/session.h"

namespace fantail {

namespace {

constexpr std::uint32_t kBatchJobsMax = 4096;
constexpr std::size_t kResultBatchBytesMax = 1 << 20;
// Weight of the newest job in the moving average of durations.
constexpr double kNewestResultWeight = 0.05;

std::vector<JobSpan> spans_of(const proto::Results& results) {
  std::vector<JobSpan> spans;
  for (const JobId job : results.jobs()) {
    if (!spans.empty() && spans.back().end == job) {
      ++spans.back().end;
    } else {
      spans.push_back({job, job + 1});
    }
  }
  return spans;
}

}  // namespace

// The average moves as if the jobs had come one by one, each with the mean of them all.
void Session::measure(const proto::Results& results) {
  const auto& durations = results.duration_us();
  const double mean_ns =
      1000.0 * static_cast<double>(std::accumulate(durations.begin(), durations.end(), std::uint64_t{0})) /
      results.count();
  const double weight = 1 - std::pow(1 - kNewestResultWeight, results.count());
  mean_job_ns_ = measured_ ? mean_job_ns_ + weight * (mean_ns - mean_job_ns_) : mean_ns;
  measured_ = true;
}

// An attempt that failed for now and is not the last one is no outcome: the ventilator has the job tried
// again. Where runs are hedged another copy may be ok, so no failure is one.
bool Session::gives_back(const proto::Results& results, const proto::Failure& failure) const {
  const int index = static_cast<int>(failure.index());
  if (hedged_) return results.statuses(index) == proto::STATUS_FAILED;
  return stop_level_ == proto::STOP_NONE && failure.passing() && results.attempts(index) < attempts_max_;
}

// While the ventilator is away it need not be told: what nobody holds runs again.
void Session::give_back_failed(proto::Results& results, SessionOutbox& out) {
  if ((attempts_max_ == 1 && !hedged_) || results.failures().empty()) return;
  proto::WorkerToVentilator message = to_ventilator();
  proto::JobsFailed& failed = *message.mutable_failed();
  failed.set_run_id(run_id_);
  RangeSet rest;
  for (const JobId job : results.jobs())
    rest.insert(job);
  auto payloads = ColumnReader::open(results.payloads(), results.count());
  for (const proto::Failure& failure : results.failures()) {
    if (!gives_back(results, failure)) continue;
    const int index = static_cast<int>(failure.index());
    payloads->skip(failure.index() - payloads->index());
    proto::FailedAttempt& attempt = *failed.add_attempts();
    attempt.set_job(results.jobs(index));
    attempt.set_attempt(results.attempts(index));
    attempt.set_code(failure.code());
    attempt.set_message(failure.message());
    attempt.set_retry_after_us(failure.retry_after_us());
    attempt.set_passing(failure.passing());
    attempt.set_payload(std::string(payloads->next()));
    attempt.set_queued_us(results.queued_us(index));
    attempt.set_duration_us(results.duration_us(index));
    rest.erase(attempt.job());
    let_go(attempt.job());
  }
  if (failed.attempts().empty()) return;
  if (epoch_ != 0) out.send_to_ventilator(message);
  results = within(results, rest);
}

// How they ended interests nobody. Whether there were any.
bool Session::take_discarded(proto::Results& results) {
  RangeSet rest;
  for (const JobId job : results.jobs()) {
    discarded_.contains(job) ? let_go(job) : void(rest.insert(job));
  }
  if (rest.size() == results.count()) return false;
  results = within(results, rest);
  return true;
}

void Session::on_completions(std::vector<proto::Results> completions, Instant now, SessionOutbox& out) {
  proto::Results results;
  RangeSet jobs;
  bool any_discarded = false;
  const auto flush = [&] {
    if (results.count() == 0) return;
    compact(results);
    for (const JobSpan& span : jobs.spans()) {
      put_ranges(copies_.within(span), results.mutable_copies());
      copies_.erase(span);
    }
    retain_and_send(std::exchange(results, {}), std::exchange(jobs, {}), now, out);
  };
  for (proto::Results& batch : completions) {
    std::uint64_t held = 0;
    for (const JobSpan& span : spans_of(batch)) {
      for (const JobSpan& part : active_.within(span))
        held += part.size();
    }
    if (held < batch.count()) batch = within(batch, active_);  // the others are of a former run
    if (held == 0) continue;
    if (!discarded_.empty() && take_discarded(batch)) any_discarded = true;
    if (batch.count() == 0) continue;
    measure(batch);
    give_back_failed(batch, out);
    if (batch.count() == 0) continue;
    if (results.count() + batch.count() > kBatchJobsMax ||
        bytes_of(results) + bytes_of(batch) > kResultBatchBytesMax) {
      flush();
    }
    for (const JobSpan& span : spans_of(batch)) {
      active_.erase(span);
      jobs.insert(span);
    }
    if (results.count() == 0) {
      results = std::move(batch);
    } else {
      append_to(results, batch);
    }
  }
  flush();
  send_status(any_discarded, now, out);
}

void Session::on_outputs(std::vector<proto::JobOutput> outputs, Instant now, SessionOutbox& out) {
  for (proto::JobOutput& output : outputs) {
    if (!active_.contains(output.job())) continue;  // of a former run
    const JobId job = output.job();
    const std::uint64_t bytes = output.data().size();
    proto::Results results;
    *results.add_outputs() = std::move(output);
    Retained& retained = retain_and_send(std::move(results), {}, now, out);
    retained.output_of = job;
    retained.output_bytes = bytes;
  }
}

}  // namespace fantail
