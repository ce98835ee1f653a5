#include "worker/child/child_run.h"

#include <poll.h>

#include <array>

#include "pipeline/net/poller.h"

namespace fantail {

namespace {

// After the end of one that was stopped: somebody that nobody knows of may go on writing.
constexpr int kLastReads = 64;

}  // namespace

ChildEnd ChildRun::wait(const StopToken& stop, const ChildLimits& limits) {
  for (Instant now = steady_now(); !is_over(now); now = steady_now()) {
    begin_stop_if_due(stop, limits, now);
    const bool stops = ending_.has_begun();
    const Instant wake = stops ? ending_.on_tick(now, exited_) : limits.deadline;
    if (is_over(now)) break;
    read_until(wake, stops ? -1 : stop.descriptor());
  }
  for (int count = 0; count < kLastReads && read_until(Instant{}, -1); ++count) {
  }
  return finish();
}

bool ChildRun::is_over(Instant now) const {
  if (ending_.has_begun()) return ending_.is_over(now);
  return exited_ && output_.output.ended() && output_.errors.ended();
}

void ChildRun::begin_stop_if_due(const StopToken& stop, const ChildLimits& limits, Instant now) {
  if (ending_.has_begun()) return;
  if (stop.stop_requested()) {
    reason_ = stop.reason();
  } else if (now >= limits.deadline) {
    reason_ = StopReason::kExpired;
  } else {
    return;
  }
  ending_.begin(now, limits.grace);
}

bool ChildRun::read_until(Instant wake, int stop_descriptor) {
  std::array<pollfd, 5> ready{};
  std::array<CapturedStream*, 2> streams{&output_.output, &output_.errors};
  bool lacks_room = false;
  for (std::size_t index = 0; index < streams.size(); ++index) {
    bool has_room = streams[index]->has_room();
    if (!has_room && ending_.has_begun()) {
      streams[index]->drop_rest();
      has_room = true;
    }
    ready[index] = {has_room ? streams[index]->descriptor() : -1, POLLIN, 0};
    if (!has_room) lacks_room = true;
  }
  ready[2] = {exited_ ? -1 : child_.exited.get(), POLLIN, 0};
  ready[3] = {stop_descriptor, POLLIN, 0};
  ready[4] = {lacks_room ? output_.rest->descriptor() : -1, POLLIN, 0};
  if (::poll(ready.data(), ready.size(), poll_timeout_ms(wake)) <= 0) return false;
  for (std::size_t index = 0; index < streams.size(); ++index) {
    if (ready[index].revents != 0) streams[index]->read_some(buffer_);
  }
  if (ready[2].revents != 0) exited_ = true;
  return ready[0].revents != 0 || ready[1].revents != 0;
}

ChildEnd ChildRun::finish() {
  for (CapturedStream* stream : {&output_.output, &output_.errors}) {
    stream->send_rest();
    stream->end();
  }
  return {exited_ ? wait_for(child_) : 0, reason_};
}

}  // namespace fantail
