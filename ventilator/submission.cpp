#include "ventilator/submission.h"

#include <algorithm>
#include <utility>

#include "pipeline/app/run_folders.h"
#include "pipeline/job_line.h"
#include "pipeline/url/url.h"
#include "ventilator/sources/resumed.h"

namespace fantail {

namespace {

// When the storage had no space.
constexpr Duration kRetryAfter = std::chrono::milliseconds(500);
constexpr std::uint64_t kReadAtOnce = 4096;

}  // namespace

Submission::Submission(OpenedRun opened, RunRequest request, Logger logger)
    : opened_(std::move(opened)), log_(std::move(logger)), format_(request.spec.input_format()) {
  jobs_differ_ = request.hosts.limits() || format_ == proto::INPUT_JOB_LINE;
  Spool& spool = opened_.spool;
  SpooledInputs spooled{spool.size(), spool.inputs_hash(), spool.last_input()};
  if (spool.closed()) return;
  if (request.generated) {
    if (spooled.count == 0)
      spool.append_generated(request.generated->count, request.generated->payload_bytes);
    spool.close_input(true, 0);
  } else if (!request.walked.empty()) {
    reader_ = std::make_unique<InputReader>(
        make_resumed_walk(std::move(request.source), std::move(request.walked), std::move(spooled)));
  } else {
    reader_ =
        std::make_unique<InputReader>(make_resumed_source(std::move(request.source), std::move(spooled)));
  }
}

std::optional<std::string> Submission::advance(Instant now, Dispatcher& dispatcher, DispatchOutbox& out) {
  if (!has_space(now) || broken_) return std::nullopt;
  // What found no space comes before anything new.
  if (lacks_space_ && !sync(now)) return std::nullopt;
  Spool& spool = opened_.spool;
  std::optional<InputBatch> batch;
  if (reader_ && !spool.closed()) batch = reader_->next();
  if (batch) {
    for (const std::string& input : batch->inputs)
      spool.append(input);
    skipped_ = batch->skipped;
    for (const std::uint64_t distance : batch->longest) {
      if (distance <= spool.size()) longest_.push_back(spool.size() - distance);
    }
    if (batch->end && !batch->error) spool.close_input(true, skipped_);
  }
  give(now, dispatcher, out);
  return batch ? batch->error : std::nullopt;
}

void Submission::give(Instant now, Dispatcher& dispatcher, DispatchOutbox& out) {
  const Spool& spool = opened_.spool;
  const bool news = given_ < spool.size() || (spool.closed() && !end_given_);
  if (!news || !sync(now)) return;
  give_durable(now, dispatcher, out);
  if (spool.closed() && !end_given_ && !broken_) {
    end_given_ = true;
    dispatcher.on_longest(std::exchange(longest_, {}));
    dispatcher.on_input_end(spool.input_complete(), spool.skipped(), now, out);
  }
}

void Submission::give_durable(Instant now, Dispatcher& dispatcher, DispatchOutbox& out) {
  const Spool& spool = opened_.spool;
  const JobId end = spool.durable();
  if (!jobs_differ_) dispatcher.on_spooled(end - std::exchange(given_, end), now, out);
  while (given_ < end) {
    const JobSpan jobs{given_, std::min(end, given_ + kReadAtOnce)};
    const auto inputs = spool.read(jobs);
    if (!inputs) {
      log_->error("cannot read the inputs back from {}: check the storage", opened_.folder);
      broken_ = true;
      return;
    }
    given_ = jobs.end;
    for (const std::string& input : *inputs)
      dispatcher.on_spooled_job(read_spooled_job(input, format_));
  }
}

// One for which there was no space is still to be written; a smaller batch asks for less.
bool Submission::advance_frontier(JobId frontier, Instant now) {
  opened_.spool.set_frontier(std::max(frontier, opened_.spool.frontier()));
  return sync(now);
}

void Submission::record_deaths(const std::vector<JobSpan>& jobs, bool alone, Instant now) {
  std::vector<JobId> dead;
  for (const JobSpan& span : jobs) {
    for (JobId job = span.first; job < span.end; ++job)
      dead.push_back(job);
  }
  opened_.spool.add_deaths(dead, alone);
  sync(now);
}

void Submission::record_stop(const StopDecision& stop, Instant now) {
  if (reader_) reader_->stop();
  if (!opened_.spool.closed()) opened_.spool.close_input(false, skipped_);
  opened_.spool.set_stop(stop);
  sync(now);
}

void Submission::record_end(Instant now) {
  opened_.spool.acknowledge();
  if (sync(now)) {
    mark_run_finished(opened_.folder);
  } else {
    // The run is over all the same. The next start asks the sink once more, and hears the same.
    broken_ = false;
  }
}

// False: it has to wait for space, or the process has to end.
bool Submission::sync(Instant now) {
  const auto fault = opened_.spool.sync();
  if (!fault) {
    if (lacks_space_) log_->warn("there is space again for {}", opened_.folder);
    lacks_space_ = false;
    return true;
  }
  if (!lacks_space_) log_->error("{}", fault->message);
  lacks_space_ = true;
  retry_at_ = now + kRetryAfter;
  broken_ = fault->kind == SpoolFault::Kind::kFatal;
  return false;
}

// A line that cannot be read is what a worker finds out, whose answer the job's row is.
SpooledJob read_spooled_job(const std::string& submitted, proto::InputFormat format) {
  SpooledJob job;
  auto read = read_job(submitted, format);
  auto* line = std::get_if<JobLine>(&read);
  if (line == nullptr) return job;
  job.group = std::move(line->group);
  job.priority = line->priority;
  const std::optional<Url> url = parse_url(line->input);
  if (url && url->is_http()) job.host = url->host_and_port();
  return job;
}

}  // namespace fantail
