// The virtual clock: events in the order of their times, equal times in the order in which they were filed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <tuple>
#include <utility>
#include <vector>

#include "pipeline/instant.h"

namespace fantail::sim {

class Scheduler {
 public:
  Instant now() const { return now_; }
  std::uint64_t steps() const { return steps_; }

  void at(Instant when, std::function<void()> what) {
    events_.push_back({std::max(when, now_), filed_++, std::move(what)});
    std::push_heap(events_.begin(), events_.end(), later);
  }
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  // False: nothing is left to do.
  bool step() {
    if (events_.empty()) return false;
    std::pop_heap(events_.begin(), events_.end(), later);
    const Event event = std::move(events_.back());
    events_.pop_back();
    now_ = event.when;
    ++steps_;
    event.what();
    return true;
  }

 private:
  struct Event {
    Instant when;
    std::uint64_t filed;
    std::function<void()> what;
  };
  static bool later(const Event& one, const Event& other) {
    return std::tie(one.when, one.filed) > std::tie(other.when, other.filed);
  }

  Instant now_ = Instant{} + std::chrono::hours(1);
  std::uint64_t filed_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<Event> events_;
};

}  // namespace fantail::sim
