// How a session turns finished jobs into results messages.
#include <cmath>
#include <numeric>
#include <utility>

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
// again. While it is away it need not be told: what nobody holds runs again.
void Session::give_back_failed(proto::Results& results, SessionOutbox& out) {
  if (attempts_max_ == 1 || results.failures().empty() || stop_level_ != proto::STOP_NONE) return;
  proto::WorkerToVentilator message = to_ventilator();
  proto::JobsFailed& failed = *message.mutable_failed();
  failed.set_run_id(run_id_);
  RangeSet rest;
  for (const JobId job : results.jobs())
    rest.insert(job);
  for (const proto::Failure& failure : results.failures()) {
    const int index = static_cast<int>(failure.index());
    if (!failure.passing() || results.attempts(index) >= attempts_max_) continue;
    proto::FailedAttempt& attempt = *failed.add_attempts();
    attempt.set_job(results.jobs(index));
    attempt.set_attempt(results.attempts(index));
    attempt.set_code(failure.code());
    attempt.set_message(failure.message());
    attempt.set_retry_after_us(failure.retry_after_us());
    attempt.set_duration_us(results.duration_us(index));
    rest.erase(attempt.job());
    active_.erase(attempt.job());
  }
  if (failed.attempts().empty()) return;
  if (epoch_ != 0) out.send_to_ventilator(message);
  results = within(results, rest);
}

void Session::on_completions(std::vector<proto::Results> completions, Instant now, SessionOutbox& out) {
  proto::Results results;
  RangeSet jobs;
  const auto flush = [&] {
    if (results.count() == 0) return;
    compact(results);
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
  send_status(false, now, out);
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
