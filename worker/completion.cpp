#include "worker/completion.h"

#include <algorithm>
#include <string>

#include "pipeline/column.h"

namespace fantail {

namespace {

// One job's input and payload.
constexpr std::size_t kResultBytesMax = 16 << 20;

std::uint64_t microseconds(Duration duration) {
  return static_cast<std::uint64_t>(std::max(duration, Duration{0}).count());
}

void append_to(proto::Column& column, const proto::Column& more) {
  column.mutable_data()->append(more.data());
  column.mutable_sizes()->MergeFrom(more.sizes());
}

template <typename Column, typename Value>
bool all_are(const Column& column, Value value) {
  return std::all_of(column.begin(), column.end(), [value](auto each) { return each == value; });
}

}  // namespace

void append_result(proto::Results& results, std::size_t input_size, JobResult result, Duration queued,
                   Duration duration) {
  if (input_size + result.payload.size() > kResultBytesMax) {
    result = JobResult::failed("result_too_large", "the result has " + std::to_string(result.payload.size()) +
                                                       " bytes, more than a message may carry");
  }
  const std::uint32_t index = results.count();
  results.set_count(index + 1);
  append_to(*results.mutable_payloads(), result.payload);
  results.add_statuses(static_cast<proto::Status>(result.status));
  results.add_queued_us(microseconds(queued));
  results.add_duration_us(microseconds(duration));
  if (result.error_code.empty()) return;
  proto::Failure& failure = *results.add_failures();
  failure.set_index(index);
  failure.set_code(result.error_code);
  failure.set_message(result.error_message);
  failure.set_passing(result.passing);
  if (result.retry_after.count() > 0) failure.set_retry_after_us(microseconds(result.retry_after));
}

void append_jobs(proto::Results& results, const JobSlice& jobs) {
  const auto count = static_cast<int>(jobs.size());
  jobs.append_inputs(*results.mutable_inputs());
  results.mutable_jobs()->Reserve(results.jobs_size() + count);
  results.mutable_attempts()->Reserve(results.attempts_size() + count);
  for (std::uint32_t index = 0; index < jobs.size(); ++index) {
    results.add_jobs(jobs.id(index));
    results.add_attempts(jobs.attempt(index));
  }
}

void append_to(proto::Results& results, Completion completion) {
  results.add_jobs(completion.id);
  results.add_attempts(completion.attempt);
  append_to(*results.mutable_inputs(), completion.input);
  append_result(results, completion.input.size(), std::move(completion.result), completion.queued,
                completion.duration);
}

void append_to(proto::Results& results, const proto::Results& more) {
  const std::uint32_t before = results.count();
  results.set_count(before + more.count());
  results.mutable_jobs()->MergeFrom(more.jobs());
  append_to(*results.mutable_inputs(), more.inputs());
  append_to(*results.mutable_payloads(), more.payloads());
  results.mutable_statuses()->MergeFrom(more.statuses());
  results.mutable_attempts()->MergeFrom(more.attempts());
  results.mutable_queued_us()->MergeFrom(more.queued_us());
  results.mutable_duration_us()->MergeFrom(more.duration_us());
  for (const proto::Failure& failure : more.failures()) {
    proto::Failure& added = *results.add_failures();
    added = failure;
    added.set_index(before + failure.index());
  }
}

std::size_t bytes_of(const proto::Results& results) {
  return results.inputs().data().size() + results.payloads().data().size();
}

proto::Results within(const proto::Results& results, const RangeSet& jobs) {
  proto::Results kept;
  auto inputs = ColumnReader::open(results.inputs(), results.count());
  auto payloads = ColumnReader::open(results.payloads(), results.count());
  auto failure = results.failures().begin();
  for (int index = 0; index < results.jobs_size(); ++index) {
    Completion completion;
    completion.id = results.jobs(index);
    completion.input = inputs->next();
    completion.attempt = results.attempts(index);
    completion.result.status = static_cast<Status>(results.statuses(index));
    completion.result.payload = payloads->next();
    completion.queued = Duration(static_cast<Duration::rep>(results.queued_us(index)));
    completion.duration = Duration(static_cast<Duration::rep>(results.duration_us(index)));
    if (failure != results.failures().end() && failure->index() == static_cast<std::uint32_t>(index)) {
      completion.result.error_code = failure->code();
      completion.result.error_message = failure->message();
      completion.result.passing = failure->passing();
      completion.result.retry_after = Duration(static_cast<Duration::rep>(failure->retry_after_us()));
      ++failure;
    }
    if (jobs.contains(completion.id)) append_to(kept, std::move(completion));
  }
  return kept;
}

void compact(proto::Results& results) {
  const auto& jobs = results.jobs();
  const auto apart =
      std::adjacent_find(jobs.begin(), jobs.end(), [](JobId a, JobId b) { return b != a + 1; });
  if (!jobs.empty() && apart == jobs.end()) {
    results.set_first_job(jobs[0]);
    results.clear_jobs();
  }
  seal_column(*results.mutable_inputs());
  if (results.payloads().data().empty()) {
    results.clear_payloads();
  } else {
    seal_column(*results.mutable_payloads());
  }
  if (all_are(results.statuses(), static_cast<int>(proto::STATUS_OK))) results.clear_statuses();
  if (all_are(results.attempts(), 1U)) results.clear_attempts();
}

}  // namespace fantail
