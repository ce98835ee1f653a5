// Finds inputs in a spool's file by their numbers. Bounded memory: a sparse index, and the records read last,
// so that reading in order reads each record once. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pipeline/column.h"
#include "ventilator/spool_record.h"

namespace fantail {

class SpoolReader {
 public:
  // A record that is on storage, in the order of the file; jobs is empty where it holds no inputs.
  void add_record(std::uint64_t offset, JobSpan jobs);
  // Appends the inputs of jobs that are in added records. False: the file cannot be read or is damaged.
  bool read(int descriptor, std::uint64_t seed, JobSpan jobs, proto::Column& inputs);
  // How many of the first jobs have inputs of no more than so many bytes together; takes these bytes off.
  // Empty: as above.
  std::optional<std::uint64_t> fitting(int descriptor, std::uint64_t seed, JobSpan jobs,
                                       std::uint64_t& bytes);

 private:
  struct Part {
    JobSpan jobs;
    std::variant<InputsEntry, GeneratedEntry> entry;
    std::vector<std::uint64_t> ends;  // of each input in an InputsEntry's bytes
  };
  struct Record {
    std::uint64_t next_offset = 0;
    JobSpan jobs;
    std::string payload;  // the parts' views are into it: a Record does not move
    std::vector<Part> parts;

    bool parse();
    void copy(JobSpan wanted, proto::Column& inputs) const;
    // Of the jobs that are here.
    std::uint64_t fitting(JobSpan wanted, std::uint64_t& bytes) const;
  };
  struct Place {
    JobId job = 0;  // the first one at or behind the offset
    std::uint64_t offset = 0;
  };

  const Record* find(int descriptor, std::uint64_t seed, JobId job);
  Place nearest_before(JobId job) const;

  std::vector<Place> index_;
  std::array<std::unique_ptr<Record>, 2> latest_;  // the one used last is the first
};

}  // namespace fantail
