// The workers that a serving ventilator has heard of lately.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline/instant.h"

namespace fantail {

class KnownWorkers {
 public:
  // True: it was not known.
  bool hear(const std::string& name, const std::string& routing_id, Instant now) {
    const bool is_new = !workers_.contains(name);
    workers_[name] = {routing_id, now};
    return is_new;
  }
  // Forgets those who say nothing any more: their names.
  std::vector<std::string> forget_silent(Instant now) {
    std::vector<std::string> names;
    std::erase_if(workers_, [&](const auto& entry) {
      const bool silent = now >= entry.second.heard + kSilent;
      if (silent) names.push_back(entry.first);
      return silent;
    });
    return names;
  }
  template <typename Call>
  void for_each_address(Call call) const {
    for (const auto& [name, worker] : workers_)
      call(worker.routing_id);
  }

 private:
  static constexpr Duration kSilent = std::chrono::seconds(3);  // of heartbeats of a second

  struct Worker {
    std::string routing_id;
    Instant heard{};
  };
  std::map<std::string, Worker> workers_;  // by name, which tells host and process
};

}  // namespace fantail
