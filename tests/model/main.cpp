// fantail-model: visits every state that the deciders of one ventilator, one sink and two workers with one
// slot each can reach with two jobs, in each of the scopes below. With flags: in one scope of one's own;
// --full is that of 2 crashes, 2 losses, 2 late messages and 1 cancel in any order, which no machine
// exhausts. See search.h for what is abstracted.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/model/search.h"

namespace {

using fantail::model::Budget;
using fantail::model::Scope;

constexpr bool kCoarse = true;

Budget budget_of(std::uint32_t crashes, std::uint32_t losses, std::uint32_t late, std::uint32_t cancels,
                 bool coarse = false) {
  Budget budget;
  budget.crashes = crashes;
  budget.losses = losses;
  budget.late = late;
  budget.cancels = cancels;
  budget.coarse = coarse;
  return budget;
}

Budget swapped_once() {
  Budget budget;
  budget.swaps = 1;
  return budget;
}

int search_all() {
  const Budget budgets[] = {swapped_once(),
                            budget_of(1, 0, 0, 0),
                            budget_of(0, 2, 0, 0),
                            budget_of(0, 0, 1, 0),
                            budget_of(0, 0, 0, 1),
                            budget_of(2, 0, 0, 0, kCoarse),
                            budget_of(1, 1, 0, 0, kCoarse),
                            budget_of(1, 0, 0, 1, kCoarse),
                            budget_of(0, 1, 1, 0, kCoarse),
                            budget_of(0, 1, 0, 1, kCoarse)};
  std::uint64_t states = 0;
  for (const Budget& budget : budgets) {
    Scope scope;
    scope.budget = budget;
    if (!fantail::model::search(scope, &states)) return 1;
  }
  std::printf("%llu states in all scopes\n", static_cast<unsigned long long>(states));
  return 0;
}

int usage() {
  std::fprintf(
      stderr,
      "usage: fantail-model [--full | [--crashes N] [--losses N] [--late N] [--cancels N] [--swaps N | "
      "--any-order] [--coarse]] [--states N]\n");
  return 2;
}

// A flag without a value.
bool set_flag(const std::string& flag, Budget& budget) {
  if (flag == "--any-order") {
    budget.any_order = true;
  } else if (flag == "--coarse") {
    budget.coarse = true;
  } else if (flag == "--full") {
    budget = budget_of(2, 2, 2, 1);
    budget.any_order = true;
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 1) return search_all();
  Scope scope;
  for (int index = 1; index < count; ++index) {
    const std::string flag = arguments[index];
    if (set_flag(flag, scope.budget)) continue;
    if (index + 1 >= count) return usage();
    const std::uint64_t value = std::strtoull(arguments[++index], nullptr, 10);
    const auto small = static_cast<std::uint32_t>(value);
    if (flag == "--crashes") {
      scope.budget.crashes = small;
    } else if (flag == "--losses") {
      scope.budget.losses = small;
    } else if (flag == "--late") {
      scope.budget.late = small;
    } else if (flag == "--cancels") {
      scope.budget.cancels = small;
    } else if (flag == "--swaps") {
      scope.budget.swaps = small;
    } else if (flag == "--states" && value > 0) {
      scope.states_most = value;
    } else {
      return usage();
    }
  }
  std::uint64_t states = 0;
  return fantail::model::search(scope, &states) ? 0 : 1;
}
