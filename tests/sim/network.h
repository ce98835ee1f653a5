// The simulated network. Control messages may be lost, doubled, late and out of order; a stream delivers in
// order what it delivers, and loses what is in flight when it is cut.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "pipeline/instant.h"

namespace fantail::sim {

class World;

// 0: the ventilator, 1: the sink, 2 and up: the workers.
using Party = std::size_t;
inline constexpr Party kVentilator = 0;
inline constexpr Party kSink = 1;
inline constexpr Party kFirstWorker = 2;
inline constexpr std::size_t kParties = 6;

struct Stream {
  Instant last{};  // arrival of the last message
  std::uint64_t cuts = 0;
  Instant survives{};  // of the messages sent before the last cut, those that arrive by then
  bool carries(std::uint64_t cut, Instant arrival) const { return cut == cuts || arrival <= survives; }
};

class Network {
 public:
  explicit Network(World& world) : world_(world) {}

  void control(Party from, Party to, const std::function<void()>& deliver);
  // When what is sent now arrives.
  Instant send(Stream& stream, Party from, Party to);
  void cut(Stream& stream);
  bool connects(Party one, Party other) const;
  void partition(Party from, Party to, Duration duration, bool drops);
  void heal();

 private:
  struct Link {
    Instant last{};
    Instant blocked_until{};
    bool drops = false;
  };
  Duration latency();

  World& world_;
  std::array<std::array<Link, kParties>, kParties> links_{};
};

}  // namespace fantail::sim
