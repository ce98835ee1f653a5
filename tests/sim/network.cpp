#include "tests/sim/network.h"

#include <algorithm>

#include "tests/sim/world.h"

namespace fantail::sim {

Duration Network::latency() {
  return world_.random.between(world_.plan.latency_least, world_.plan.latency_most);
}

void Network::control(Party from, Party to, const std::function<void()>& deliver) {
  const Plan& plan = world_.plan;
  Link& link = links_[from][to];
  const Instant now = world_.scheduler.now();
  if (world_.faulty() && plan.lost > 0 && world_.random.chance(plan.lost))
    return world_.count(Fault::kControlLost);
  int copies = 1;
  if (world_.faulty() && plan.duplicated > 0 && world_.random.chance(plan.duplicated)) {
    world_.count(Fault::kControlDuplicated);
    ++copies;
  }
  for (; copies > 0; --copies) {
    Instant arrival = now + latency();
    if (now < link.blocked_until) {
      if (link.drops) return world_.count(Fault::kControlLost);
      world_.count(Fault::kStalled);
      arrival = link.blocked_until + latency();
    }
    if (world_.faulty() && plan.reordered > 0 && world_.random.chance(plan.reordered)) {
      world_.count(Fault::kControlReordered);
      arrival += world_.random.between(Duration{0}, plan.reordered_by);
    } else {
      arrival = std::max(arrival, link.last);
      link.last = arrival;
    }
    world_.scheduler.at(arrival, deliver);
  }
}

Instant Network::send(Stream& stream, Party from, Party to) {
  const Instant now = world_.scheduler.now();
  const Link& link = links_[from][to];
  // TCP sends again until the partition is over.
  const Instant sent = std::max(now, link.blocked_until);
  stream.last = std::max(stream.last, sent + latency());
  return stream.last;
}

void Network::cut(Stream& stream) {
  ++stream.cuts;
  stream.survives = world_.scheduler.now() + (world_.random.chance(500) ? Duration{-1} : latency() / 2);
}

bool Network::connects(Party one, Party other) const {
  const Instant now = world_.scheduler.now();
  return now >= links_[one][other].blocked_until && now >= links_[other][one].blocked_until;
}

void Network::partition(Party from, Party to, Duration duration, bool drops) {
  Link& link = links_[from][to];
  link.blocked_until = world_.scheduler.now() + duration;
  link.drops = drops;
  world_.count(Fault::kPartition);
}

void Network::heal() {
  for (auto& row : links_) {
    for (Link& link : row)
      link.blocked_until = std::min(link.blocked_until, world_.scheduler.now());
  }
}

}  // namespace fantail::sim
