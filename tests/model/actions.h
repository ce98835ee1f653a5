// What may happen in a state.
#pragma once

#include <string>
#include <vector>

#include "tests/model/state.h"

namespace fantail::model {

struct Action {
  enum class Kind : std::uint8_t {
    kDeliver,
    kLose,
    kRepeat,  // it comes twice
    kCopy,    // it comes, and once more any time later
    kDeliverLate,
    kFinish,
    kCommit,
    kCommitAndDie,
    kCrash,
    kStart,
    kCancel,
    kAbort,
    kTimers
  };
  Kind kind = Kind::kTimers;
  std::uint8_t which = 0;  // message, worker or role
};

std::vector<Action> actions_in(const State& state);
// What happens next when no fault does any more: one and the same way to the end.
Action calm_action(const State& state);
State after(const State& state, Action action);
std::string describe(const State& before, Action action);

}  // namespace fantail::model
