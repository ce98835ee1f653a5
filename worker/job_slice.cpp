#include "worker/job_slice.h"

#include <utility>

namespace fantail {

std::optional<JobSlice> JobSlice::of(proto::Lane& message) {
  const std::uint32_t count = message.count();
  const auto batch = std::make_shared<Batch>();
  batch->first_job = message.first_job();
  batch->jobs.assign(message.jobs().begin(), message.jobs().end());
  batch->inputs = std::move(*message.mutable_inputs());
  batch->attempts.assign(message.attempts().begin(), message.attempts().end());
  batch->time_left = Duration(static_cast<Duration::rep>(message.time_left_us()));
  batch->timeout = Duration(static_cast<Duration::rep>(message.timeout_us()));
  const std::optional<ColumnReader> inputs = ColumnReader::open(batch->inputs, count);
  const bool fits = inputs && (batch->jobs.empty() || batch->jobs.size() == count) &&
                    (batch->attempts.empty() || batch->attempts.size() == count);
  if (!fits) return std::nullopt;
  return JobSlice(batch, *inputs, count);
}

JobSpan JobSlice::dense_span() const {
  if (!batch_->jobs.empty() || size() == 0) return {};
  return {id(0), id(0) + size()};
}

JobView JobSlice::next() {
  const std::uint32_t index = reader_.index();
  return {batch_->id(index), reader_.next(), batch_->attempt(index)};
}

JobSlice JobSlice::take_front(std::uint32_t count) {
  JobSlice front = *this;
  front.end_ = reader_.index() + count;
  reader_.skip(count);
  return front;
}

void JobSlice::append_inputs(proto::Column& inputs) const {
  ColumnReader reader = reader_;
  reader.take(size(), inputs);
}

std::vector<AcceptedJob> accepted_jobs(JobSlice slice) {
  std::vector<AcceptedJob> jobs;
  jobs.reserve(slice.size());
  while (slice.size() > 0) {
    const JobView job = slice.next();
    jobs.push_back({job.id, std::string(job.input), job.attempt, slice.time_left(), slice.timeout()});
  }
  return jobs;
}

}  // namespace fantail
