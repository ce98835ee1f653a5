// Jobs on their way through a worker. What one lane message brought stays together: its inputs are one
// buffer, shared by the slices of it that wait in a queue or run in a slot.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kinds.pb.h"
#include "pipeline/column.h"
#include "pipeline/instant.h"
#include "pipeline/job_line.h"
#include "pipeline/range_set.h"

namespace fantail {

// A job as a slot sees it; its texts live as long as the slice that it came from.
struct JobView {
  JobId id = 0;
  std::string_view submitted;  // what its result names it by
  std::string_view input;      // what that means: the same, unless jobs are lines of JSON
  std::uint32_t attempt = 1;
  Duration timeout{0};                  // of this attempt; 0: none
  const std::string* defect = nullptr;  // why it cannot be run
};

// A job that is kept for itself.
struct AcceptedJob {
  JobId id = 0;
  std::string input;
  std::uint32_t attempt = 1;
  Duration time_left{0};  // until the run's deadline, as of its arrival; 0: none
  Duration timeout{0};    // of this attempt; 0: none
  std::string line;       // where it was submitted as one: what its result names it by
  std::string defect;     // why it cannot be run; empty: it can
  const std::string& submitted() const { return line.empty() ? input : line; }
};

// Some jobs of one lane message, in its order.
class JobSlice {
 public:
  // All of the message's jobs; takes its columns out. Empty: they do not fit together.
  static std::optional<JobSlice> of(proto::Lane& message, proto::InputFormat format = proto::INPUT_PLAIN);

  std::uint32_t size() const { return end_ - reader_.index(); }
  Duration time_left() const { return batch_->time_left; }
  // Consecutive ids; empty where they are not.
  JobSpan dense_span() const;
  // Of the job at an index below size().
  JobId id(std::uint32_t index) const { return batch_->id(reader_.index() + index); }
  std::uint32_t attempt(std::uint32_t index) const { return batch_->attempt(reader_.index() + index); }
  void append_inputs(proto::Column& inputs) const;
  // Requires of both: there are so many.
  JobView next();
  JobSlice take_front(std::uint32_t count);

 private:
  // Never changed once it is made: read by several threads.
  struct Batch {
    JobId first_job = 0;
    std::vector<JobId> jobs;  // empty: first_job + index
    proto::Column inputs;
    std::vector<std::uint32_t> attempts;  // empty: all 1
    Duration time_left{0};
    Duration timeout{0};
    std::vector<std::variant<JobLine, std::string>> lines;  // one per job, where inputs are lines of JSON
    JobId id(std::uint32_t index) const { return jobs.empty() ? first_job + index : jobs[index]; }
    std::uint32_t attempt(std::uint32_t index) const { return attempts.empty() ? 1 : attempts[index]; }
  };

  JobSlice(std::shared_ptr<const Batch> batch, ColumnReader reader, std::uint32_t end)
      : batch_(std::move(batch)), reader_(reader), end_(end) {}

  std::shared_ptr<const Batch> batch_;
  ColumnReader reader_;
  std::uint32_t end_ = 0;
};

std::vector<AcceptedJob> accepted_jobs(JobSlice slice);

}  // namespace fantail
