// Puts formatted rows into the order of their jobs (--keep-order). Rows that wait for an earlier one are kept
// in memory up to a limit, beyond it in an unlinked temporary file: then only their place in the file is
// remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>

#include "pipeline/range_set.h"
#include "sink/writers/spill_file.h"

namespace fantail {

class OrderedRows {
 public:
  struct Limits {
    std::size_t lines = 100'000;                // in memory
    std::size_t bytes = std::size_t{64} << 20;  // in memory
    std::size_t burst = std::size_t{1} << 20;   // one call appends no more than this and one line
  };

  // The temporary file, if one is needed, is made in the directory.
  explicit OrderedRows(std::string directory) : OrderedRows(std::move(directory), Limits()) {}
  OrderedRows(std::string directory, Limits limits) : limits_(limits), spill_(std::move(directory)) {}

  // Rows of the jobs below are written already. Requires: nothing was added yet.
  void start_at(std::uint64_t job) { next_ = job; }

  // Takes the line of a job (each job once; a second one is ignored) and appends what became due to out. The
  // answer is an error.
  std::optional<std::string> add(std::uint64_t job, std::string_view line, std::string& out);
  // Jobs first .. first + count - 1 get no row.
  std::optional<std::string> skip(std::uint64_t first, std::uint64_t count, std::string& out);

  // After a burst there may be more to append: call emit() until nothing is due.
  bool has_due() const;
  std::optional<std::string> emit(std::string& out);

  std::uint64_t next() const { return next_; }  // the job whose row comes next
  std::size_t waiting() const { return in_memory_.size() + spilled_.size(); }
  bool has_spilled() const { return spill_.is_open(); }

 private:
  struct Spilled {
    std::uint64_t job = 0;
    SpillFile::Place place;
  };
  struct ComesLater {
    bool operator()(const Spilled& a, const Spilled& b) const {
      return a.job != b.job ? a.job > b.job : a.place.offset > b.place.offset;
    }
  };

  std::optional<std::string> keep(std::uint64_t job, std::string_view line);
  std::optional<std::string> emit_up_to(std::size_t size, std::string& out);
  void pass_skipped();
  void forget_spilled();

  Limits limits_;
  std::uint64_t next_ = 0;
  RangeSet skipped_;  // those not passed yet
  std::unordered_map<std::uint64_t, std::string> in_memory_;
  std::size_t bytes_in_memory_ = 0;
  // Only the smallest id is ever asked for. A heap in the blocks of a deque costs 25 bytes a row; a hash
  // table would cost more than twice that.
  std::priority_queue<Spilled, std::deque<Spilled>, ComesLater> spilled_;
  SpillFile spill_;
};

}  // namespace fantail
