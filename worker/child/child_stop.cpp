#include "worker/child/child_stop.h"

#include <algorithm>
#include <csignal>

namespace fantail {

namespace {

constexpr Duration kDefaultGrace = std::chrono::seconds(2);
// How often it is looked whether those are gone who were told to end: every look reads all of /proc.
constexpr Duration kFirstLook = std::chrono::milliseconds(5);
constexpr Duration kLookIntervalMax = std::chrono::milliseconds(200);
// A process that shows no environment for so many looks has none.
constexpr int kUncertainLooks = 5;
// Who is not gone then waits for a device, and the slot is needed.
constexpr Duration kKillLasts = std::chrono::seconds(5);

}  // namespace

Duration grace_of(std::uint64_t grace_us) {
  return grace_us == 0 ? kDefaultGrace : Duration(static_cast<Duration::rep>(grace_us));
}

void ChildStop::begin(Instant now, Duration grace) {
  phase_ = Phase::kTerminates;
  phase_ends_ = now + grace;
  look_interval_ = kFirstLook;
  // Before any of them goes, and its children with nobody to be known by.
  descendants_alive_ = descendants_.find();
  ::kill(-child_, SIGTERM);
  signal_escaped(SIGTERM);
  ::kill(-child_, SIGCONT);
  signal_escaped(SIGCONT);
}

Instant ChildStop::on_tick(Instant now, bool exited) {
  if (phase_ == Phase::kTerminates && now >= phase_ends_) kill_all(now);
  if (!exited) return phase_ends_;
  if (now >= next_look_) look_for_descendants(now);
  return std::min(next_look_, phase_ends_);
}

void ChildStop::kill_all(Instant now) {
  phase_ = Phase::kKilled;
  phase_ends_ = now + kKillLasts;
  look_interval_ = kFirstLook;
  next_look_ = now;
  descendants_alive_ = descendants_.find();
  ::kill(-child_, SIGKILL);
  signal_escaped(SIGKILL);
}

void ChildStop::look_for_descendants(Instant now) {
  next_look_ = now + look_interval_;
  look_interval_ = std::min(look_interval_ * 2, kLookIntervalMax);
  descendants_alive_ = descendants_.find();
  all_gone_ =
      descendants_alive_.empty() && (!descendants_.uncertain() || ++uncertain_looks_ > kUncertainLooks);
  if (phase_ != Phase::kKilled) return;
  // They may have started others meanwhile.
  ::kill(-child_, SIGKILL);
  signal_escaped(SIGKILL);
}

void ChildStop::signal_escaped(int signal) const {
  for (const Descendant& each : descendants_alive_) {
    if (each.group != child_) ::kill(each.id, signal);
  }
}

}  // namespace fantail
