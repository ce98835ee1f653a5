// How a session turns finished jobs into results messages.
#include <algorithm>
#include <utility>

#include "worker/session.h"

namespace fantail {

namespace {

constexpr std::size_t kBatchJobsMax = 1024;
constexpr std::size_t kBatchBytesMax = 1 << 20;
// One job's input and payload; a result beyond it becomes a failure that says so.
constexpr std::size_t kResultBytesMax = 16 << 20;
// Weight of the newest job in the moving average of durations.
constexpr double kNewestWeight = 0.05;

void refuse_oversize(Completion& completion) {
  if (completion.input.size() + completion.result.payload.size() <= kResultBytesMax) return;
  completion.result = JobResult::failed("result_too_large",
                                        "the result has " + std::to_string(completion.result.payload.size()) +
                                            " bytes, more than a message may carry");
}

void append(const Completion& completion, proto::Results& results) {
  const int index = results.inputs_size();
  results.add_jobs(completion.id);
  results.add_inputs(completion.input);
  results.add_payloads(completion.result.payload);
  results.add_statuses(static_cast<proto::Status>(completion.result.status));
  results.add_attempts(completion.attempt);
  results.add_queued_us(static_cast<std::uint64_t>(std::max(completion.queued, Duration{0}).count()));
  results.add_duration_us(static_cast<std::uint64_t>(std::max(completion.duration, Duration{0}).count()));
  if (completion.result.error_code.empty()) return;
  proto::Failure& failure = *results.add_failures();
  failure.set_index(static_cast<std::uint32_t>(index));
  failure.set_code(completion.result.error_code);
  failure.set_message(completion.result.error_message);
}

// Leaves the columns out that say nothing: consecutive ids, no payloads, all ok, all first attempts.
void compact(proto::Results& results) {
  bool dense = true;
  for (int index = 1; index < results.jobs_size(); ++index)
    dense = dense && results.jobs(index) == results.jobs(index - 1) + 1;
  if (dense && results.jobs_size() > 0) {
    results.set_first_job(results.jobs(0));
    results.clear_jobs();
  }
  const auto& payloads = results.payloads();
  if (std::all_of(payloads.begin(), payloads.end(),
                  [](const std::string& payload) { return payload.empty(); })) {
    results.clear_payloads();
  }
  const auto& statuses = results.statuses();
  if (std::all_of(statuses.begin(), statuses.end(), [](int status) { return status == proto::STATUS_OK; })) {
    results.clear_statuses();
  }
  const auto& attempts = results.attempts();
  if (std::all_of(attempts.begin(), attempts.end(), [](std::uint32_t attempt) { return attempt == 1; })) {
    results.clear_attempts();
  }
}

}  // namespace

void Session::measure(const Completion& completion) {
  const auto duration_us = static_cast<double>(completion.duration.count());
  mean_job_us_ = measured_ ? mean_job_us_ + kNewestWeight * (duration_us - mean_job_us_) : duration_us;
  measured_ = true;
}

void Session::on_completions(std::vector<Completion> completions, Instant now, SessionOutbox& out) {
  proto::Results results;
  RangeSet jobs;
  std::size_t bytes = 0;
  const auto flush = [&] {
    if (results.inputs_size() == 0) return;
    compact(results);
    results.set_run_id(run_id_);
    retain_and_send(results, std::exchange(jobs, RangeSet{}), now, out);
    results.Clear();
    bytes = 0;
  };
  for (Completion& completion : completions) {
    if (!active_.erase(completion.id)) continue;  // of a former run
    refuse_oversize(completion);
    measure(completion);
    jobs.insert(completion.id);
    bytes += completion.input.size() + completion.result.payload.size();
    append(completion, results);
    if (jobs.size() >= kBatchJobsMax || bytes >= kBatchBytesMax) flush();
  }
  flush();
  send_status(false, now, out);
}

}  // namespace fantail
