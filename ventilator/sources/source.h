// Where a run's inputs come from, in input order. Blocking: a source lives on the ventilator's reader thread.
// It does not know kinds, jobs or ids: an input is bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace fantail {

struct SourceError {
  std::string message;  // one sentence: cause and way out
};

enum class SourceStatus : std::uint8_t { kMore, kEnd };

class Source {
 public:
  virtual ~Source() = default;

  // Appends between 1 and limit inputs and blocks until at least one is there: a slow pipe returns what it
  // has as soon as it has it. kEnd: nothing more will come; it may come along with the last inputs. An error
  // is final: do not read again. Requires: limit > 0.
  virtual std::variant<SourceStatus, SourceError> read(std::size_t limit,
                                                       std::vector<std::string>& inputs) = 0;

  // Special files (fifos, sockets, devices) met so far. Asked on the reader thread.
  virtual std::uint64_t skipped() const { return 0; }

  // At the end: which of the last inputs are known to take long, the longest first. An input is named by its
  // distance from the end: 1 is the last one.
  virtual std::vector<std::uint64_t> longest() const { return {}; }

  // From another thread: makes a blocked read() return kEnd soon, and so every later one at its next wait.
  virtual void interrupt() {}
};

}  // namespace fantail
