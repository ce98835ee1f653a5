// What jobs that are processes wrote beyond the beginnings that their results carry: a file for each process
// and stream, in the run's folder. Files grow from their beginning only, so a length says what is there. The
// process whose outcome is the job's is marked by its file's name, before the commit that records the
// outcome.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages.pb.h"
#include "pipeline/app/file_descriptor.h"
#include "pipeline/range_set.h"

namespace fantail {

enum class Stream : std::uint8_t { kOutput, kError };

// A process that ran a job.
struct JobProcess {
  JobId job = 0;
  std::uint32_t attempt = 0;
  std::string worker;  // its id, as text
  auto operator<=>(const JobProcess&) const = default;
};

class OutputFolder {
 public:
  struct Fault {
    bool lacks_space = false;
    std::string message;
  };
  // Files that are not on storage yet. They may be synced on another thread.
  class Unsynced {
   public:
    std::optional<std::string> sync() const;

   private:
    friend class OutputFolder;
    std::string folder_;
    bool made_ = false;
    bool folder_changed_ = false;
    std::vector<std::shared_ptr<FileDescriptor>> files_;
  };

  explicit OutputFolder(std::string path) : path_(std::move(path)) {}

  // Takes up what a former life left. An error is a sentence.
  std::optional<std::string> open(const RangeSet& done);
  // Takes a piece; false: one before it is missing, or it cannot be written. Requires: the job has no
  // outcome.
  bool write(const std::string& worker_id, const proto::JobOutput& piece);
  // How much is there of what the process wrote beyond its result.
  std::uint64_t length(const JobProcess& process, Stream stream) const;
  // The job's outcome is this process's.
  void settle(const JobProcess& process);
  // Gives what is there of that process's output, at most so many bytes, in pieces; the answer is how many.
  std::uint64_t read(JobId job, Stream stream, std::uint64_t bytes,
                     const std::function<void(std::string_view)>& take) const;

  bool has_fault() const { return fault_.has_value(); }
  std::optional<Fault> take_fault() { return std::exchange(fault_, std::nullopt); }
  std::uint64_t unsynced_bytes() const { return unsynced_bytes_; }
  std::shared_ptr<const Unsynced> take_unsynced();
  // Nobody needs them any more.
  void remove();

 private:
  struct Files {
    std::array<std::uint64_t, 2> lengths{};
    bool settled = false;
  };

  bool make();
  std::string file_path(const JobProcess& process, Stream stream, bool settled) const;
  std::shared_ptr<FileDescriptor> writable(const JobProcess& process, Stream stream);
  const std::pair<const JobProcess, Files>* settled(JobId job) const;
  void rename(const JobProcess& process, bool settled);
  bool fail(const std::string& what, int error_number);

  std::string path_;
  bool made_ = false;
  bool made_now_ = false;  // since the last sync
  std::map<JobProcess, Files> files_;
  std::map<std::pair<JobProcess, Stream>, std::shared_ptr<FileDescriptor>> written_;  // since the last sync
  std::uint64_t unsynced_bytes_ = 0;
  bool folder_changed_ = false;
  std::optional<Fault> fault_;
};

}  // namespace fantail
