#include "tests/model/search.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
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

constexpr std::size_t kKindsOfFaults = 4;

std::array<std::uint32_t, kKindsOfFaults> faults_in(const Budget& budget) {
  return {budget.crashes, budget.losses, budget.copies, budget.cancels};
}

// Budgets with which a state was reached, each a bit of a word. What follows from a state with a budget
// follows from it with a larger one too: a budget stands for all that are no larger.
class Budgets {
 public:
  explicit Budgets(const Budget& most) : most_(faults_in(most)) {
    std::size_t bits = 1;
    for (const std::uint32_t faults : most_)
      bits *= faults + 1;
    up_to_.resize(bits);
    for (std::size_t bit = 0; bit < bits; ++bit) {
      for (std::size_t other = 0; other <= bit; ++other) {
        if (no_larger(other, bit)) up_to_[bit] |= std::uint64_t{1} << other;
      }
    }
  }

  // False: it stands there already.
  bool add(std::uint64_t& word, const Budget& budget) const {
    const std::size_t bit = bit_of(budget);
    if ((word >> bit) & 1) return false;
    word |= up_to_[bit];
    return true;
  }

 private:
  std::size_t bit_of(const Budget& budget) const {
    std::size_t bit = 0;
    const auto faults = faults_in(budget);
    for (std::size_t kind = 0; kind < kKindsOfFaults; ++kind)
      bit = bit * (most_[kind] + 1) + faults[kind];
    return bit;
  }

  bool no_larger(std::size_t one, std::size_t other) const {
    for (std::size_t kind = kKindsOfFaults; kind-- > 0;) {
      const std::size_t base = most_[kind] + 1;
      if (one % base > other % base) return false;
      one /= base;
      other /= base;
    }
    return true;
  }

  std::array<std::uint32_t, kKindsOfFaults> most_;
  std::vector<std::uint64_t> up_to_;  // by bit
};

std::size_t faults_left(const Budget& budget) {
  const auto faults = faults_in(budget);
  return std::accumulate(faults.begin(), faults.end(), std::size_t{0});
}

class Search {
 public:
  explicit Search(const Scope& scope)
      : scope_(scope),
        first_(first_state(scope.budget, scope.fine)),
        budgets_(scope.budget),
        waiting_(faults_left(scope.budget) + 1) {}

  // The fewer faults the earlier: then a budget is never followed by a larger one.
  bool run() {
    budgets_.add(visited_[first_.hash()], first_.budget);
    steps_.push_back({0, {}});
    waiting_.back().push_back({first_, 0});
    for (std::size_t left = waiting_.size(); left-- > 0;) {
      while (!waiting_[left].empty()) {
        for (Reached& reached : std::exchange(waiting_[left], {})) {
          if (!expand(reached)) return false;
          reached.state = State{};
        }
      }
    }
    print_sum("all states visited");
    return true;
  }

  std::uint64_t states() const { return steps_.size(); }

 private:
  bool expand(const Reached& reached) {
    if (!ends_calmly(reached)) return false;
    for (const Action action : actions_in(reached.state)) {
      State state = after(reached.state, action);
      ++transitions_;
      if (over(state)) check_end(state);
      if (!state.failure.empty()) return fails(reached, {action}, state.failure);
      if (!budgets_.add(visited_[state.hash()], state.budget)) continue;
      steps_.push_back({reached.index, action});
      if (over(state)) {
        ++ends_;
        continue;
      }
      const std::size_t left = faults_left(state.budget);
      waiting_[left].push_back({std::move(state), static_cast<std::uint32_t>(steps_.size() - 1)});
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
      const std::uint64_t hash = state.hash(true);
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
    std::printf("%s: %zu states, %zu but for the faults left, %llu transitions, %llu ends; %.0f s\n", what,
                steps_.size(), visited_.size(), static_cast<unsigned long long>(transitions_),
                static_cast<unsigned long long>(ends_), lasted.count());
    std::fflush(stdout);
  }

  Scope scope_;
  State first_;
  Budgets budgets_;
  std::vector<std::vector<Reached>> waiting_;                 // by faults left
  std::unordered_map<std::uint64_t, std::uint64_t> visited_;  // by hash: the budgets
  std::unordered_set<std::uint64_t> ending_;
  std::vector<Step> steps_;  // by state: how it was reached
  std::uint64_t transitions_ = 0;
  std::uint64_t ends_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace

bool search(const Scope& scope, std::uint64_t* states) {
  const Budget& budget = scope.budget;
  std::printf("%u crashes, %u losses, %u copies, %u cancels, %s\n", budget.crashes, budget.losses,
              budget.copies, budget.cancels, scope.fine ? "fine" : "coarse");
  Search search(scope);
  const bool holds = search.run();
  *states += search.states();
  return holds;
}

}  // namespace fantail::model
