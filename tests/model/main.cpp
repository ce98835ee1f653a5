// fantail-model: visits every state that the deciders of one ventilator, one sink and two workers with one
// slot each can reach with two jobs, in each of the scopes below, or --scope K of them. With other flags: in
// one scope of one's own; each further fault makes it 6 to 60 times as large. See search.h for what is
// abstracted.
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>

#include "tests/model/search.h"

namespace {

using fantail::model::Scope;

// Crashes, losses, copies and cancels; then whether it is fine. The largest come first.
constexpr Scope kScopes[] = {
    {{1, 1, 0, 1}}, {{1, 0, 1, 1}}, {{1, 0, 0, 0}, true}, {{0, 2, 0, 0}, true},
    {{0, 1, 1, 1}}, {{2, 0, 0, 0}}, {{0, 0, 1, 0}, true}, {{0, 0, 0, 1}, true},
};

int search_all() {
  std::uint64_t states = 0;
  for (const Scope& scope : kScopes) {
    if (!fantail::model::search(scope, &states)) return 1;
  }
  std::printf("%llu states in all scopes\n", static_cast<unsigned long long>(states));
  return 0;
}

int usage() {
  std::fprintf(stderr,
               "usage: fantail-model [--scope K] [--crashes N] [--losses N] [--copies N] [--cancels N] "
               "[--fine] [--states N]\n");
  return 2;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 1) return search_all();
  Scope scope;
  for (int index = 1; index < count; ++index) {
    const std::string flag = arguments[index];
    if (flag == "--fine") {
      scope.fine = true;
      continue;
    }
    if (index + 1 >= count) return usage();
    const std::uint64_t value = std::strtoull(arguments[++index], nullptr, 10);
    const auto small = static_cast<std::uint32_t>(value);
    if (flag == "--scope" && value < std::size(kScopes)) {
      scope = kScopes[value];
    } else if (flag == "--crashes") {
      scope.budget.crashes = small;
    } else if (flag == "--losses") {
      scope.budget.losses = small;
    } else if (flag == "--copies") {
      scope.budget.copies = small;
    } else if (flag == "--cancels") {
      scope.budget.cancels = small;
    } else if (flag == "--states" && value > 0) {
      scope.states_most = value;
    } else {
      return usage();
    }
  }
  std::uint64_t states = 0;
  return fantail::model::search(scope, &states) ? 0 : 1;
}
