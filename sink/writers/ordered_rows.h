// Puts formatted rows into the order of their jobs (--keep-order). Rows that wait for an earlier one are held
// in memory up to a limit; beyond it those that are due last are let go, and whoever has them elsewhere gives
// them again when they come next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "pipeline/range_set.h"

namespace fantail {

class OrderedRows {
 public:
  static constexpr std::size_t kBytesMax = std::size_t{64} << 20;
  using Write = std::function<void(std::string_view)>;

  explicit OrderedRows(std::size_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}

  // Rows of the jobs below are written already. Requires: nothing was added yet.
  void start_at(JobId job) { next_ = job; }
  // Writes the row and those that waited for it, or holds it, or lets it go. A second row of a job that is
  // held or written is ignored.
  void add(JobId job, std::string_view line, const Write& write);
  // The jobs below get no row, but for those that have theirs.
  void pass(JobId job, const Write& write);

  JobId next() const { return next_; }  // the job whose row comes next
  // The jobs from next() on whose rows are not here, up to the first whose row is.
  JobSpan gap() const { return {next_, held_.empty() ? kAfterAll : held_.begin()->first}; }
  std::size_t held_bytes() const { return held_bytes_; }  // with what it costs to hold them

 private:
  static constexpr JobId kAfterAll = INT64_MAX;

  bool make_room(JobId job, std::size_t bytes);
  void write_due(const Write& write);

  std::size_t bytes_max_;
  JobId next_ = 0;
  std::map<JobId, std::string> held_;
  std::size_t held_bytes_ = 0;
};

}  // namespace fantail
