#include "tests/model/search.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/model/actions.h"
#include "tests/model/shells.h"

namespace fantail::model {

namespace {

constexpr std::size_t kCalmStepsMost = 3000;
constexpr std::uint64_t kShowEvery = 500'000;

struct Step {
  std::uint32_t from;
  Action action;
};

struct Reached {
  State state;
  std::uint32_t index;
};

class Search {
 public:
  explicit Search(const Scope& scope) : scope_(scope), first_(first_state(scope.budget)) {}

  bool run() {
    visited_.insert(first_.hash());
    steps_.push_back({0, {}});
    std::vector<Reached> level;
    level.push_back({first_, 0});
    while (!level.empty()) {
      std::vector<Reached> next;
      for (Reached& reached : level) {
        if (!expand(reached, next)) return false;
        reached.state = State{};
      }
      if (!next.empty()) ++depth_;
      level = std::move(next);
    }
    print_sum("all states visited");
    return true;
  }

  std::uint64_t states() const { return steps_.size(); }

 private:
  bool expand(const Reached& reached, std::vector<Reached>& next) {
    if (!ends_calmly(reached)) return false;
    for (const Action action : actions_in(reached.state)) {
      State state = after(reached.state, action);
      ++transitions_;
      if (over(state)) check_end(state);
      if (!state.failure.empty()) return fails(reached, {action}, state.failure);
      if (!visited_.insert(state.hash()).second) continue;
      steps_.push_back({reached.index, action});
      if (over(state)) {
        ++ends_;
        continue;
      }
      next.push_back({std::move(state), static_cast<std::uint32_t>(steps_.size() - 1)});
      if (steps_.size() % kShowEvery == 0) print_sum("so far");
      if (steps_.size() >= scope_.states_most) {
        print_sum("more states than asked for");
        return false;
      }
    }
    return true;
  }

  // From here on without faults: the run comes to its end, by states from which nobody has gone yet.
  bool ends_calmly(const Reached& reached) {
    State state = reached.state;
    std::vector<Action> path;
    std::unordered_set<std::uint64_t> passed;
    while (!over(state)) {
      const std::uint64_t hash = state.hash();
      if (ending_.contains(hash)) break;
      if (!passed.insert(hash).second || path.size() > kCalmStepsMost)
        return fails(reached, path, "without further faults it goes round and does not end");
      const Action action = calm_action(state);
      path.push_back(action);
      state = after(state, action);
      if (over(state)) check_end(state);
      if (!state.failure.empty()) return fails(reached, path, state.failure);
    }
    ending_.insert(passed.begin(), passed.end());
    return true;
  }

  bool fails(const Reached& reached, const std::vector<Action>& path, const std::string& what) const {
    std::vector<Action> trace(path.rbegin(), path.rend());
    for (std::uint32_t index = reached.index; index != 0; index = steps_[index].from)
      trace.push_back(steps_[index].action);
    std::reverse(trace.begin(), trace.end());
    State state = first_;
    for (const Action action : trace) {
      std::printf("%s\n", describe(state, action).c_str());
      state = after(state, action);
    }
    std::printf("FAILS after %zu steps: %s\n", trace.size(), what.c_str());
    print_sum("given up");
    return false;
  }

  void print_sum(const char* what) const {
    const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - started_;
    std::printf(
        "%s: %zu states, %llu transitions, depth %zu, %llu ends; %zu states lead to the end; %.0f s\n", what,
        steps_.size(), static_cast<unsigned long long>(transitions_), depth_,
        static_cast<unsigned long long>(ends_), ending_.size(), lasted.count());
    std::fflush(stdout);
  }

  Scope scope_;
  State first_;
  std::unordered_set<std::uint64_t> visited_, ending_;
  std::vector<Step> steps_;  // by state: how it was reached
  std::uint64_t transitions_ = 0;
  std::uint64_t ends_ = 0;
  std::size_t depth_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace

bool search(const Scope& scope, std::uint64_t* states) {
  const Budget& budget = scope.budget;
  std::printf("%u crashes, %u losses, %u late, %u cancels, %s, %s\n", budget.crashes, budget.losses,
              budget.late, budget.cancels,
              budget.any_order ? "any order"
                               : (std::to_string(budget.swaps) + " out of the order of sending").c_str(),
              budget.coarse ? "coarse" : "fine");
  Search search(scope);
  const bool holds = search.run();
  *states += search.states();
  return holds;
}

}  // namespace fantail::model
