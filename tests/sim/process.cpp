#include "tests/sim/process.h"

#include "tests/sim/world.h"

namespace fantail::sim {

void Process::launch() {
  if (alive_) return;
  ++life_;
  alive_ = true;
  exited_ = false;
  paused_ = false;
  scheduled_ = false;
  begin();
  if (alive_) schedule(world_.scheduler.now());
}

void Process::kill() {
  if (!alive_) return;
  alive_ = false;
  die();
}

void Process::exit() {
  kill();
  exited_ = true;
}

void Process::pause(Duration duration) {
  if (!alive_ || paused_) return;
  paused_ = true;
  paused_until_ = world_.scheduler.now() + duration;
  world_.scheduler.at(paused_until_, [this, life = life_] {
    if (!alive(life)) return;
    paused_ = false;
    scheduled_ = false;
    schedule(world_.scheduler.now());
  });
}

void Process::wake() {
  schedule(world_.scheduler.now());
}

void Process::schedule(Instant at) {
  if (!alive_ || (scheduled_ && at >= next_turn_)) return;
  scheduled_ = true;
  next_turn_ = at;
  world_.scheduler.at(at, [this, ticket = ++ticket_, life = life_] {
    if (ticket != ticket_ || !alive(life)) return;
    scheduled_ = false;
    if (paused_) return;
    const Instant next = turn();
    if (next != kNever) schedule(next);
  });
}

}  // namespace fantail::sim
