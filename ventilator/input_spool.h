// The inputs of a run on disk, in input order: a job is its number here. Memory stays bounded however long
// the input is.
//
//   inputs        the bytes of all inputs, one behind the other
//   inputs.index  for each job the offset of its end, u64 in this machine's byte order
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/range_set.h"

namespace fantail {

class InputSpool {
 public:
  // Makes both files in the folder. Errors are sentences.
  static std::variant<InputSpool, std::string> create(const std::string& folder);
  InputSpool(InputSpool&& other) noexcept;
  InputSpool& operator=(InputSpool&&) = delete;
  ~InputSpool();

  std::uint64_t size() const { return count_; }
  void append(std::string_view input);
  // Writes what append buffered; must succeed before the jobs are given away.
  std::optional<std::string> flush();
  // The inputs of jobs that were flushed. Empty on a read error.
  std::optional<std::vector<std::string>> read(JobSpan jobs) const;

 private:
  InputSpool() = default;

  int data_ = -1;
  int index_ = -1;
  std::uint64_t count_ = 0;
  std::uint64_t data_end_ = 0;
  std::string data_buffer_;
  std::vector<std::uint64_t> index_buffer_;
};

}  // namespace fantail
