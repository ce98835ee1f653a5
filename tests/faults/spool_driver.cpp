// Writes a spool to its end or goes on with one, for test_spool_faults.py to let its system calls fail.
// Prints what is durable as soon as it is.
//
//   fantail-spool-driver run FOLDER ROUNDS   exits 0 when all rounds are durable, 3 after an error
//   fantail-spool-driver check FOLDER        prints what is there; exits 1 when an input is wrong
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "pipeline/app/durable.h"
#include "pipeline/app/run_lock.h"
#include "ventilator/spool.h"

namespace fantail {
namespace {

constexpr std::uint64_t kInputsPerRound = 5;
constexpr int kRefused = 3;

std::string input(JobId job) {
  return "input " + std::to_string(job * job) + std::string(job * 7 % 50, '.');
}

int refuse(const std::string& error) {
  std::printf("error %s\n", error.c_str());
  return kRefused;
}

void print(const char* word, const Spool& spool) {
  std::printf("%s %llu %llu\n", word, static_cast<unsigned long long>(spool.durable()),
              static_cast<unsigned long long>(spool.frontier()));
  std::fflush(stdout);
}

bool inputs_are_right(const Spool& spool) {
  const auto inputs = spool.read({0, spool.durable()});
  if (!inputs) return false;
  std::string hash = first_inputs_hash();
  for (JobId job = 0; job < inputs->size(); ++job) {
    if ((*inputs)[job] != input(job)) return false;
    roll_inputs_hash(hash, input(job));
  }
  return hash == spool.inputs_hash() && spool.size() == spool.durable();
}

// Empty, or why it is over: also when there is no room a second time.
std::string sync(Spool& spool) {
  std::string why;
  for (int tries = 0; tries < 2; ++tries) {
    const auto fault = spool.sync();
    if (!fault) {
      print("confirmed", spool);
      return {};
    }
    std::printf("fault %s\n", fault->message.c_str());
    if (fault->kind == SpoolFault::Kind::kFatal) {
      const auto again = spool.sync();
      if (!again || again->kind != SpoolFault::Kind::kFatal || spool.read({0, 0})) std::abort();
      return fault->message;
    }
    why = fault->message;
  }
  return why;
}

int run(const std::string& folder, std::uint64_t rounds) {
  if (auto error = make_folder_durably(folder)) return refuse(*error);
  auto lock = RunLock::take(folder);
  if (auto* error = std::get_if<std::string>(&lock)) return refuse(*error);
  if (std::holds_alternative<RunLock::Holder>(lock)) std::abort();
  const auto epoch = next_epoch(folder);
  if (auto* error = std::get_if<std::string>(&epoch)) return refuse(*error);
  std::printf("epoch %llu\n", static_cast<unsigned long long>(std::get<std::uint64_t>(epoch)));

  const SpoolRun this_run{std::string(16, 'r'), std::string(16, 'i'), "command", "spec"};
  const bool there = std::filesystem::exists(folder + "/spool");
  auto made = there ? Spool::open(folder) : Spool::create(folder, this_run);
  if (auto* error = std::get_if<std::string>(&made)) return refuse(*error);
  Spool& spool = std::get<Spool>(made);
  print("confirmed", spool);
  while (spool.size() < rounds * kInputsPerRound) {
    spool.append(input(spool.size()));
    if (spool.size() % kInputsPerRound != 0) continue;
    spool.set_frontier(spool.size() - 2);
    if (const auto error = sync(spool); !error.empty()) return refuse(error);
  }
  return inputs_are_right(spool) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int check(const std::string& folder) {
  const auto spool = Spool::open(folder);
  if (auto* error = std::get_if<std::string>(&spool)) return refuse(*error);
  print("there", std::get<Spool>(spool));
  return inputs_are_right(std::get<Spool>(spool)) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace fantail

int main(int count, char** arguments) {
  const std::string mode = count > 2 ? arguments[1] : "";
  if (mode == "run" && count == 4)
    return fantail::run(arguments[2], std::strtoull(arguments[3], nullptr, 10));
  if (mode == "check") return fantail::check(arguments[2]);
  std::fprintf(stderr, "usage: fantail-spool-driver run FOLDER ROUNDS | check FOLDER\n");
  return 2;
}
