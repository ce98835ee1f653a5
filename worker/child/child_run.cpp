#include "worker/child/child_run.h"

#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "pipeline/net/poller.h"

namespace fantail {

namespace {

// How often it is looked whether those are gone who were told to end: every look reads all of /proc.
constexpr Duration kFirstLook = std::chrono::milliseconds(5);
constexpr Duration kLookIntervalMax = std::chrono::milliseconds(200);
// A process that shows no environment for so many looks has none.
constexpr int kUncertainLooks = 5;
// Who is not gone then waits for a device, and the slot is needed.
constexpr Duration kKillLasts = std::chrono::seconds(5);
// After the end of one that was stopped: somebody that nobody knows of may go on writing.
constexpr int kLastReads = 64;

int timeout_ms(Instant wake) {
  if (wake == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - steady_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

}  // namespace

ChildEnd ChildRun::wait(const StopToken& stop, const ChildLimits& limits) {
  for (Instant now = steady_now(); !is_over(now); now = steady_now()) {
    look_at_clock(stop, limits, now);
    if (phase_ != Phase::kRuns && exited_ && now >= next_look_) look_for_descendants(now);
    if (is_over(now)) break;
    read_until(wakes_at(limits), phase_ == Phase::kRuns ? stop.descriptor() : -1);
  }
  for (int count = 0; count < kLastReads && read_until(Instant{}, -1); ++count) {
  }
  return finish();
}

bool ChildRun::is_over(Instant now) const {
  if (phase_ == Phase::kRuns) return exited_ && output_.output.ended() && output_.errors.ended();
  return all_gone_ || (phase_ == Phase::kKilled && now >= phase_ends_);
}

void ChildRun::look_at_clock(const StopToken& stop, const ChildLimits& limits, Instant now) {
  if (phase_ == Phase::kRuns && stop.stop_requested()) {
    terminate(stop.reason(), now, limits.grace);
  } else if (phase_ == Phase::kRuns && now >= limits.deadline) {
    terminate(StopReason::kExpired, now, limits.grace);
  } else if (phase_ == Phase::kTerminates && now >= phase_ends_) {
    kill_all(now);
  }
}

void ChildRun::terminate(StopReason reason, Instant now, Duration grace) {
  phase_ = Phase::kTerminates;
  reason_ = reason;
  phase_ends_ = now + grace;
  look_interval_ = kFirstLook;
  // Before any of them goes, and its children with nobody to be known by.
  descendants_alive_ = descendants_.find();
  ::kill(-child_.id, SIGTERM);
  signal_escaped(SIGTERM);
  ::kill(-child_.id, SIGCONT);
  signal_escaped(SIGCONT);
}

void ChildRun::kill_all(Instant now) {
  phase_ = Phase::kKilled;
  phase_ends_ = now + kKillLasts;
  look_interval_ = kFirstLook;
  next_look_ = now;
  descendants_alive_ = descendants_.find();
  ::kill(-child_.id, SIGKILL);
  signal_escaped(SIGKILL);
}

void ChildRun::look_for_descendants(Instant now) {
  next_look_ = now + look_interval_;
  look_interval_ = std::min(look_interval_ * 2, kLookIntervalMax);
  descendants_alive_ = descendants_.find();
  all_gone_ =
      descendants_alive_.empty() && (!descendants_.uncertain() || ++uncertain_looks_ > kUncertainLooks);
  if (phase_ != Phase::kKilled) return;
  // They may have started others meanwhile.
  ::kill(-child_.id, SIGKILL);
  signal_escaped(SIGKILL);
}

void ChildRun::signal_escaped(int signal) const {
  for (const Descendant& each : descendants_alive_) {
    if (each.group != child_.id) ::kill(each.id, signal);
  }
}

Instant ChildRun::wakes_at(const ChildLimits& limits) const {
  if (phase_ == Phase::kRuns) return limits.deadline;
  return exited_ ? std::min(next_look_, phase_ends_) : phase_ends_;
}

bool ChildRun::read_until(Instant wake, int stop_descriptor) {
  std::array<pollfd, 5> ready{};
  std::array<CapturedStream*, 2> streams{&output_.output, &output_.errors};
  bool lacks_room = false;
  for (std::size_t index = 0; index < streams.size(); ++index) {
    bool has_room = streams[index]->has_room();
    if (!has_room && phase_ != Phase::kRuns) {
      streams[index]->drop_rest();
      has_room = true;
    }
    ready[index] = {has_room ? streams[index]->descriptor() : -1, POLLIN, 0};
    if (!has_room) lacks_room = true;
  }
  ready[2] = {exited_ ? -1 : child_.exited.get(), POLLIN, 0};
  ready[3] = {stop_descriptor, POLLIN, 0};
  ready[4] = {lacks_room ? output_.rest->descriptor() : -1, POLLIN, 0};
  if (::poll(ready.data(), ready.size(), timeout_ms(wake)) <= 0) return false;
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
  ChildEnd end{0, reason_};
  while (exited_ && ::waitpid(child_.id, &end.wait_status, 0) < 0 && errno == EINTR) {
  }
  return end;
}

}  // namespace fantail
