#include "sink/progress_display.h"

#include <unistd.h>

#include <iostream>

namespace fantail {

namespace {

constexpr Duration kRedraw = std::chrono::milliseconds(100);
constexpr Duration kSample = std::chrono::milliseconds(500);
constexpr Duration kPlain = std::chrono::seconds(10);
// A narrower terminal has no room for a bar.
constexpr unsigned kWidthMin = 40;

}  // namespace

ProgressDisplay::ProgressDisplay(const std::string& mode, Instant started)
    : terminal_(terminal_of(STDERR_FILENO)),
      started_(started),
      next_(started + kRedraw),
      next_plain_(started + kPlain) {
  if (mode == "quiet") return;
  const bool line = mode == "tty" || (mode == "auto" && terminal_.animates && terminal_.width >= kWidthMin);
  mode_ = line ? Mode::kLine : Mode::kPlain;
}

void ProgressDisplay::show(const RunSummary& summary, Instant now) {
  progress_.sample(now - started_, summary.jobs.done());
  if (mode_ == Mode::kLine) {
    next_ = now + kRedraw;
    std::cerr << "\r\033[K"
              << progress_.line(summary, now - started_, terminal_.width - 1, terminal_.unicode,
                                terminal_.color)
              << std::flush;
    shown_ = true;
    return;
  }
  next_ = now + kSample;
  if (now < next_plain_) return;
  next_plain_ = now + kPlain;
  std::cerr << progress_.plain(summary, now - started_) << std::endl;
}

void ProgressDisplay::erase() {
  if (!shown_) return;
  std::cerr << "\r\033[K" << std::flush;
  shown_ = false;
}

}  // namespace fantail
