// Shows a run's progress on stderr: one line that is redrawn on a terminal, a plain line every ten seconds
// elsewhere.
#pragma once

#include <string>

#include "pipeline/instant.h"
#include "sink/progress.h"
#include "sink/terminal.h"

namespace fantail {

class ProgressDisplay {
 public:
  ProgressDisplay(const std::string& mode, Instant started);  // auto, tty, plain or quiet

  bool due(Instant now) const { return mode_ != Mode::kQuiet && now >= next_; }
  Instant next() const { return mode_ == Mode::kQuiet ? kNever : next_; }
  void show(const RunSummary& summary, Instant now);
  void erase();  // before something else is written to the terminal

 private:
  enum class Mode { kQuiet, kLine, kPlain };

  Mode mode_ = Mode::kQuiet;
  Terminal terminal_;
  Progress progress_;
  Instant started_;
  Instant next_;
  Instant next_plain_;
  bool shown_ = false;
};

}  // namespace fantail
