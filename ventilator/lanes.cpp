#include "ventilator/lanes.h"

#include <algorithm>
#include <set>
#include <utility>

namespace fantail {

namespace {

constexpr Duration kLookApart = std::chrono::milliseconds(50);
constexpr Duration kTryPerLane = std::chrono::microseconds(10);

}  // namespace

Lanes::Opened Lanes::open(const WorkerId& worker, const Endpoint& base, std::string first_message) {
  close(worker);
  Socket socket(context_, SocketType::kPush);
  std::uint32_t port = 0;
  std::string error = "all of --worker-ports " + std::to_string(ports_.first) + "-" +
                      std::to_string(ports_.last) + " are taken: give the ventilator more";
  if (base.transport == Endpoint::Transport::kIpc) {
    port = next_ipc_++;
    error = socket.bind(base.with_port(port)).error;
    if (!error.empty()) return {0, error};
  } else if (ports_.last == 0) {
    const Socket::Bound bound = socket.bind(base.with_port(0));
    if (!bound.endpoint) return {0, bound.error};
    port = bound.endpoint->port;
  } else {
    std::set<std::uint32_t> taken;
    for (const auto& [id, lane] : lanes_)
      taken.insert(lane.port);
    for (std::uint32_t candidate = ports_.first; candidate <= ports_.last && port == 0; ++candidate) {
      if (taken.contains(candidate)) continue;
      const Socket::Bound bound = socket.bind(base.with_port(candidate));
      if (bound.endpoint) {
        port = candidate;
      } else if (!bound.in_use) {
        return {0, bound.error};
      }
    }
    if (port == 0) return {0, error};
  }
  lanes_.emplace(worker, Lane{std::move(socket), port, std::move(first_message), true});
  opening_.push_back(worker);
  return {port, {}};
}

void Lanes::close(const WorkerId& worker) {
  const auto lane = lanes_.find(worker);
  if (lane == lanes_.end()) return;
  std::erase(opening_, worker);
  lanes_.erase(lane);
}

std::vector<WorkerId> Lanes::try_opening(Instant now) {
  std::vector<WorkerId> up;
  if (now < tried_at_ + kTryPerLane * static_cast<Duration::rep>(opening_.size())) return up;
  tried_at_ = now;
  std::erase_if(opening_, [&](const WorkerId& worker) {
    Lane& lane = lanes_.at(worker);
    if (!lane.socket.send(lane.first_message)) return false;
    lane.first_message.clear();
    up.push_back(worker);
    return true;
  });
  return up;
}

std::vector<Lanes::Change> Lanes::changes(Instant now) {
  std::vector<Change> changes;
  if (now < looked_at_ + kLookApart) return changes;
  looked_at_ = now;
  for (auto& [worker, lane] : lanes_) {
    if (!lane.first_message.empty() || lane.socket.can_send() == lane.connected) continue;
    lane.connected = !lane.connected;
    changes.push_back({worker, lane.connected});
  }
  return changes;
}

bool Lanes::send(const WorkerId& worker, const proto::Lane& message) {
  const auto lane = lanes_.find(worker);
  return lane != lanes_.end() && lane->second.socket.send(message);
}

}  // namespace fantail
