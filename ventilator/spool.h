// What was submitted to one run, durably: its inputs in input order (a job is its number here) and what the
// ventilator must know after a restart. One append-only file, FOLDER/spool; spool_record.h has its format.
//
// What append and the setters say counts at once for the getters, and is durable when the next sync() has
// succeeded: sync before jobs are given away. Memory stays bounded however long the input is, given that
// sync() is called now and then. One thread. Whoever creates or opens one holds the folder's RunLock. All
// errors are sentences that name the file, the reason and the way out.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/app/file_descriptor.h"
#include "ventilator/deaths.h"
#include "ventilator/spool_reader.h"
#include "ventilator/spool_record.h"

namespace fantail {

struct SpoolFault {
  enum class Kind : std::uint8_t {
    kNoSpace,  // nothing is lost: sync() may be called again when there is room
    kFatal     // the spool refuses everything from here on; after a restart open() tells what is there
  };
  Kind kind = Kind::kFatal;
  std::string message;
};

class Spool {
 public:
  // Requires: the folder exists. A file that stands there is never replaced.
  static std::variant<Spool, std::string> create(const std::string& folder, const SpoolRun& run);
  // Reads the whole file. A tail that a crash left behind is cut off; damage before it is an error that names
  // its offset, and then nothing is changed.
  static std::variant<Spool, std::string> open(const std::string& folder);

  const SpoolRun& run() const { return run_; }
  const std::string& cut() const { return cut_; }      // empty, or what was cut off the file by open()
  std::uint64_t size() const { return jobs_; }         // jobs, also those not yet durable
  std::uint64_t durable() const { return durable_; }   // jobs that may be given away and read
  bool closed() const { return closed_.has_value(); }  // nothing more will be submitted
  bool input_complete() const { return closed_ && closed_->complete; }  // and the input was read to its end
  std::uint64_t skipped() const { return closed_ ? closed_->skipped : 0; }  // special files passed over
  // Jobs from here on were never dispatched. May be written ahead of what there is; of an opened spool it is
  // within it: only what was durable was dispatched.
  JobId frontier() const { return frontier_; }
  const std::map<JobId, Deaths>& deaths() const { return deaths_; }
  const StopDecision& stop() const { return stop_; }   // the last one; its level is STOP_NONE: there is none
  bool acknowledged() const { return acknowledged_; }  // the run is over, and the ventilator is done with it
  // 16 bytes over all inputs and their lengths, however they were batched: a stream that is given again is
  // the same when its hash is.
  const std::string& inputs_hash() const { return inputs_hash_; }
  const std::string& last_input() const { return last_input_; }  // a walk continues behind it

  // Requires of both: not closed.
  void append(std::string_view input);
  // Only the parameters are kept: the inputs are "0", "1", ... count - 1, filled up with '.' to
  // payload_bytes.
  void append_generated(std::uint64_t count, std::uint64_t payload_bytes);
  void close_input(bool complete, std::uint64_t skipped);
  // Requires: not lower than before.
  void set_frontier(JobId job);
  // One worker died that held these jobs.
  void add_deaths(const std::vector<JobId>& jobs, bool alone);
  // Requires: a higher level than before.
  void set_stop(StopDecision stop);
  void acknowledge();

  // Empty: all that was said before is durable.
  std::optional<SpoolFault> sync();
  // Appends the inputs of durable jobs; fast when read in order. False: the file cannot be read.
  bool read(JobSpan jobs, proto::Column& inputs) const;
  // How many of the first of these durable jobs have inputs of no more than so many bytes together; takes
  // these bytes off. Empty: the file cannot be read.
  std::optional<std::uint64_t> fitting(JobSpan jobs, std::uint64_t& bytes) const;
  // The same as the first, one by one.
  std::optional<std::vector<std::string>> read(JobSpan jobs) const;

 private:
  // A record that is not yet on storage.
  struct Pending {
    std::string payload;
    JobId end = 0;  // the jobs up to here are durable with it
  };

  Spool(std::string path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}

  void seal_inputs();
  void seal_record();
  std::optional<SpoolFault> write_record(const Pending& pending);
  SpoolFault fail(SpoolFault::Kind kind, int error_number);
  std::optional<std::string> recover();
  bool apply_record(std::string_view payload);
  bool apply(const SpoolEntry& entry);
  std::optional<std::string> settle_tail(std::uint64_t last_record, std::string_view last_bytes,
                                         std::uint64_t file_size);

  std::string path_;
  FileDescriptor file_;
  RecordChain chain_;
  std::uint64_t end_ = 0;  // of what is durable, in bytes
  std::optional<SpoolFault> fatal_;
  mutable SpoolReader reader_;

  SpoolRun run_;
  std::string cut_;
  std::uint64_t jobs_ = 0;
  std::uint64_t durable_ = 0;
  std::optional<ClosedEntry> closed_;
  JobId frontier_ = 0;
  std::map<JobId, Deaths> deaths_;
  StopDecision stop_;
  bool acknowledged_ = false;
  std::string inputs_hash_ = first_inputs_hash();
  std::string last_input_;

  // Not yet in a record: inputs in a row, the entries before them, what is said once per record.
  std::string lengths_;
  std::string bytes_;
  std::string entries_;
  std::string notes_;
  bool frontier_moved_ = false;
  std::deque<Pending> pending_;
};

}  // namespace fantail
