// What the tests of the spool share: a run, and everything that a spool says of itself.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ventilator/spool.h"

namespace fantail {

inline SpoolRun some_run() {
  return {std::string("0123456789abcde\0", 16), "ABCDEFGHIJKLMNOP", "fantail run echo",
          std::string("\x0a\0\xff", 3)};
}

inline Spool created(const std::string& folder) {
  auto spool = Spool::create(folder, some_run());
  if (auto* error = std::get_if<std::string>(&spool)) ADD_FAILURE() << *error;
  return std::get<Spool>(std::move(spool));
}

inline Spool opened(const std::string& folder) {
  auto spool = Spool::open(folder);
  if (auto* error = std::get_if<std::string>(&spool)) ADD_FAILURE() << *error;
  return std::get<Spool>(std::move(spool));
}

inline void sync(Spool& spool) {
  const auto fault = spool.sync();
  if (fault) ADD_FAILURE() << fault->message;
}

struct SpoolSays {
  SpoolRun run;
  std::vector<std::string> inputs;
  bool closed = false;
  bool complete = false;
  std::uint64_t skipped = 0;
  JobId frontier = 0;
  std::map<JobId, Deaths> deaths;
  StopDecision stop;
  bool acknowledged = false;
  std::string inputs_hash;
  std::string last_input;

  bool operator==(const SpoolSays&) const = default;
};

// Empty where the inputs cannot be read.
inline std::optional<SpoolSays> said_by(const Spool& spool) {
  auto inputs = spool.read({0, spool.durable()});
  if (!inputs) return std::nullopt;
  return SpoolSays{spool.run(),          std::move(*inputs),  spool.closed(),    spool.input_complete(),
                   spool.skipped(),      spool.frontier(),    spool.deaths(),    spool.stop(),
                   spool.acknowledged(), spool.inputs_hash(), spool.last_input()};
}

}  // namespace fantail
