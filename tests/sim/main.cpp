// fantail-sim --seeds FIRST:COUNT [--processes N]: runs these seeds; --seed N [--trace]: one of them. With
// --planted-bugs each of the bugs in planted.h is planted in turn, and one of the seeds has to catch it.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace {

using fantail::sim::Bug;
using fantail::sim::Fault;
using fantail::sim::FaultCounts;
using fantail::sim::kBugNames;
using fantail::sim::kBugs;
using fantail::sim::kFaultNames;
using fantail::sim::kFaults;
using fantail::sim::plan_for;
using fantail::sim::Verdicts;
using fantail::sim::World;

constexpr std::uint64_t kTwiceEvery = 50;
// From so many seeds on each kind of fault must have been met.
constexpr std::uint64_t kSeedsThatMeetAll = 1000;

struct Tally {
  std::uint64_t seeds = 0, failed = 0, jobs = 0, executions = 0, duplicates = 0, steps = 0, twice = 0;
  FaultCounts faults;

  void add(const Tally& other) {
    seeds += other.seeds;
    failed += other.failed;
    jobs += other.jobs;
    executions += other.executions;
    duplicates += other.duplicates;
    steps += other.steps;
    twice += other.twice;
    faults.add(other.faults);
  }
};

Verdicts run_seed(std::uint64_t seed, bool trace, Bug planted = Bug::kNone) {
  return World(plan_for(seed, planted), trace, planted).run();
}

// Each planted bug has to be caught by one of these seeds.
int catch_bugs(std::uint64_t first, std::uint64_t end) {
  std::size_t caught = 0;
  for (std::size_t index = 1; index < kBugs; ++index) {
    bool found = false;
    for (std::uint64_t seed = first; seed < end && !found; ++seed) {
      const Verdicts verdicts = run_seed(seed, false, static_cast<Bug>(index));
      // The same seed without the bug has to pass: the plan alone must not be what fails.
      found = !verdicts.failure.empty() &&
              World(plan_for(seed, static_cast<Bug>(index)), false).run().failure.empty();
      if (found) {
        std::printf("%2zu %s: caught by seed %llu: %s\n", index, kBugNames[index],
                    static_cast<unsigned long long>(seed), verdicts.failure.c_str());
      }
    }
    if (found) {
      ++caught;
    } else {
      std::printf("%2zu %s: not caught\n", index, kBugNames[index]);
    }
    std::fflush(stdout);
  }
  std::printf("%zu of %zu planted bugs caught\n", caught, kBugs - 1);
  return caught == kBugs - 1 ? 0 : 1;
}

void report(std::uint64_t seed, const std::string& failure) {
  std::printf("seed %llu: %s; replay: fantail-sim --seed %llu --trace\n",
              static_cast<unsigned long long>(seed), failure.c_str(), static_cast<unsigned long long>(seed));
  std::fflush(stdout);
}

// Every step-th seed from first on.
Tally run_seeds(std::uint64_t first, std::uint64_t end, std::uint64_t step) {
  Tally tally;
  for (std::uint64_t seed = first; seed < end; seed += step) {
    Verdicts verdicts = run_seed(seed, false);
    if (verdicts.failure.empty() && seed % kTwiceEvery == 0) {
      ++tally.twice;
      if (run_seed(seed, false).trace != verdicts.trace) verdicts.failure = "two runs of it differ";
    }
    ++tally.seeds;
    tally.jobs += verdicts.jobs;
    tally.executions += verdicts.executions;
    tally.duplicates += verdicts.duplicates;
    tally.steps += verdicts.steps;
    tally.faults.add(verdicts.faults);
    if (verdicts.failure.empty()) continue;
    ++tally.failed;
    report(seed, verdicts.failure);
  }
  return tally;
}

// The seeds are dealt to so many processes; a child sends its tally through a pipe.
Tally run_in_processes(std::uint64_t first, std::uint64_t end, std::uint64_t processes) {
  std::vector<std::pair<pid_t, int>> children;
  Tally all;
  for (std::uint64_t index = 1; index < processes; ++index) {
    int ends[2];
    if (pipe(ends) != 0) std::exit(2);
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      const Tally tally = run_seeds(first + index, end, processes);
      const bool told = write(ends[1], &tally, sizeof tally) == static_cast<ssize_t>(sizeof tally);
      std::fflush(stdout);
      _exit(told ? 0 : 2);
    }
    close(ends[1]);
    children.emplace_back(child, ends[0]);
  }
  all.add(run_seeds(first, end, processes));
  for (const auto& [child, descriptor] : children) {
    Tally tally;
    int status = 0;
    const bool told = read(descriptor, &tally, sizeof tally) == static_cast<ssize_t>(sizeof tally);
    waitpid(child, &status, 0);
    if (told && status == 0) {
      all.add(tally);
    } else {
      std::printf("a process of the simulator died: run with --processes 1\n");
      ++all.failed;
    }
  }
  return all;
}

int summarize(const Tally& tally, double seconds) {
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  for (std::size_t index = 0; index < kFaults; ++index) {
    const std::uint64_t count = tally.faults.of(static_cast<Fault>(index));
    std::printf("%10llu  %s\n", number(count), kFaultNames[index]);
  }
  std::printf(
      "%llu seeds, %llu failed; %llu jobs, %llu executions, %llu duplicates dropped, %llu steps; %llu seeds "
      "run twice;"
      " %.0f s, %.0f seeds/s\n",
      number(tally.seeds), number(tally.failed), number(tally.jobs), number(tally.executions),
      number(tally.duplicates), number(tally.steps), number(tally.twice), seconds,
      static_cast<double>(tally.seeds) / seconds);
  int status = tally.failed > 0 ? 1 : 0;
  for (std::size_t index = 0; index < kFaults && tally.seeds >= kSeedsThatMeetAll; ++index) {
    if (tally.faults.of(static_cast<Fault>(index)) > 0) continue;
    std::printf("never happened: %s\n", kFaultNames[index]);
    status = 1;
  }
  return status;
}

int usage() {
  std::fprintf(stderr,
               "usage: fantail-sim --seeds FIRST:COUNT [--processes N | --planted-bugs] | --seed N [--trace] "
               "[--plant BUG]\n");
  return 2;
}

}  // namespace

int main(int count, char** arguments) {
  std::uint64_t first = 0, seeds = 0, processes = 1;
  std::uint64_t bug = 0;
  bool trace = false, one = false, plants = false;
  for (int index = 1; index < count; ++index) {
    const std::string flag = arguments[index];
    if (flag == "--trace") {
      trace = true;
      continue;
    }
    if (flag == "--planted-bugs") {
      plants = true;
      continue;
    }
    if (index + 1 >= count) return usage();
    char* rest = arguments[++index];
    const std::uint64_t value = std::strtoull(rest, &rest, 10);
    if (flag == "--seed") {
      first = value;
      one = true;
    } else if (flag == "--seeds" && *rest == ':') {
      first = value;
      seeds = std::strtoull(rest + 1, nullptr, 10);
    } else if (flag == "--plant" && value < kBugs) {
      bug = value;
    } else if (flag == "--processes" && value > 0) {
      processes = value;
    } else {
      return usage();
    }
  }
  if (!one && seeds == 0) return usage();
  if (one) {
    const Verdicts verdicts = run_seed(first, trace, static_cast<Bug>(bug));
    if (!verdicts.failure.empty()) report(first, verdicts.failure);
    std::printf("trace %016llx\n", static_cast<unsigned long long>(verdicts.trace));
    return verdicts.failure.empty() ? 0 : 1;
  }
  if (plants) return catch_bugs(first, first + seeds);
  const auto started = std::chrono::steady_clock::now();
  const Tally tally = run_in_processes(first, first + seeds, processes);
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - started;
  return summarize(tally, lasted.count());
}
