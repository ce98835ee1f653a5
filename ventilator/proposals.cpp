#include "ventilator/proposals.h"

namespace fantail {

proto::Results make_proposal(const std::string& run_id, JobSpan jobs, Verdict verdict,
                             const std::map<JobId, Deaths>& deaths) {
  const bool quarantined = verdict == Verdict::kQuarantined;
  const bool expired = verdict == Verdict::kExpired;
  proto::Results results;
  results.set_run_id(run_id);
  results.set_count(static_cast<std::uint32_t>(jobs.size()));
  results.set_first_job(jobs.first);
  for (std::uint32_t index = 0; index < results.count(); ++index) {
    const auto died = deaths.find(jobs.first + index);
    const std::uint32_t tries = died == deaths.end() ? 0 : died->second.total;
    results.add_statuses(quarantined ? proto::STATUS_FAILED
                         : expired   ? proto::STATUS_EXPIRED
                                     : proto::STATUS_CANCELLED);
    results.add_attempts(quarantined ? tries : 0);
    proto::Failure& failure = *results.add_failures();
    failure.set_index(index);
    failure.set_code(quarantined ? "quarantined" : expired ? "expired" : "cancelled");
    failure.set_message(quarantined ? std::to_string(tries) + " workers died while they held the job"
                        : verdict == Verdict::kUnwanted ? "it was cancelled before it was started"
                                                        : "the run ended before the job was started");
  }
  return results;
}

proto::Results make_proposal(const std::string& run_id, const proto::FailedAttempt& attempt) {
  proto::Results results;
  results.set_run_id(run_id);
  results.set_worker_id(attempt.worker_id());
  results.set_count(1);
  results.set_first_job(attempt.job());
  results.mutable_payloads()->set_data(attempt.payload());
  results.add_statuses(proto::STATUS_FAILED);
  results.add_attempts(attempt.attempt());
  results.add_queued_us(attempt.queued_us());
  results.add_duration_us(attempt.duration_us());
  proto::Failure& failure = *results.add_failures();
  failure.set_code(attempt.code());
  failure.set_message(attempt.message());
  return results;
}

}  // namespace fantail
