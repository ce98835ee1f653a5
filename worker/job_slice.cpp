#include "worker/job_slice.h"

#include <utility>

namespace fantail {

std::optional<JobSlice> JobSlice::of(proto::Lane& message, proto::InputFormat format) {
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
  for (ColumnReader reader = *inputs; format == proto::INPUT_JOB_LINE && reader.index() < count;)
    batch->lines.push_back(parse_job_line(reader.next()));
  return JobSlice(batch, *inputs, count);
}

JobSpan JobSlice::dense_span() const {
  if (!batch_->jobs.empty() || size() == 0) return {};
  return {id(0), id(0) + size()};
}

JobView JobSlice::next() {
  const std::uint32_t index = reader_.index();
  const std::string_view submitted = reader_.next();
  JobView job{batch_->id(index), submitted, submitted, batch_->attempt(index), batch_->timeout};
  if (batch_->lines.empty()) return job;
  if (const auto* line = std::get_if<JobLine>(&batch_->lines[index])) {
    job.input = line->input;
    if (line->timeout.count() > 0) job.timeout = line->timeout;
  } else {
    job.defect = &std::get<std::string>(batch_->lines[index]);
  }
  return job;
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
    const bool is_line = job.defect != nullptr || job.input.data() != job.submitted.data();
    jobs.push_back({job.id, std::string(job.input), job.attempt, slice.time_left(), job.timeout,
                    is_line ? std::string(job.submitted) : std::string(),
                    job.defect ? *job.defect : std::string()});
  }
  return jobs;
}

}  // namespace fantail
