// How many outcomes per second does the ledger make durable? fantail-ledger-bench FOLDER [JOBS
// [ROWS_PER_COMMIT]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "kinds.pb.h"
#include "sink/ledger_file.h"

namespace fantail {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int measure(const std::string& parent, Keep keep, std::uint64_t jobs, std::uint64_t rows_per_commit) {
  const std::string folder = parent + "/ledger-bench-" + std::string(keep_name(keep));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  proto::KindSpec spec;
  spec.mutable_echo();
  auto created = LedgerFile::create(
      folder, {"01J00000000000000000000000", "echo", spec.SerializeAsString(), "bench", keep, 0});
  if (auto* error = std::get_if<LedgerError>(&created)) {
    std::fprintf(stderr, "%s\n", error->message.c_str());
    return 1;
  }
  LedgerFile& ledger = *std::get<std::unique_ptr<LedgerFile>>(created);
  LedgerBooks books;
  books.counts.submitted = jobs;
  const auto start = std::chrono::steady_clock::now();
  double longest = 0;
  std::uint64_t largest_log = 0;
  std::string input;
  for (std::uint64_t job = 0; job < jobs; ++job) {
    input = "payload " + std::to_string(job);
    Outcome outcome;
    outcome.job = job;
    outcome.input = input;
    outcome.worker = "host-12345";
    outcome.queued_us = job % 1000;
    outcome.duration_us = job % 100;
    ledger.stage(outcome);
    ++books.counts.ok;
    if ((job + 1) % rows_per_commit != 0 && job + 1 != jobs) continue;
    const auto commit_start = std::chrono::steady_clock::now();
    if (const auto error = ledger.commit(books)) {
      std::fprintf(stderr, "%s\n", error->message.c_str());
      return 1;
    }
    longest = std::max(longest, seconds_since(commit_start));
    largest_log = std::max<std::uint64_t>(largest_log, std::filesystem::file_size(folder + "/ledger.db-wal"));
  }
  const double seconds = seconds_since(start);
  const auto open_start = std::chrono::steady_clock::now();
  const auto opened = LedgerFile::open(folder);
  const bool is_open = std::holds_alternative<std::unique_ptr<LedgerFile>>(opened);
  std::printf("keep %-8s  %9.0f outcomes/s  longest commit %5.1f ms  log %5.1f MiB  %s in %.1f ms\n",
              std::string(keep_name(keep)).c_str(), static_cast<double>(jobs) / seconds, longest * 1e3,
              static_cast<double>(largest_log) / (1 << 20), is_open ? "opened" : "NOT OPENED",
              seconds_since(open_start) * 1e3);
  std::filesystem::remove_all(folder);
  return is_open ? 0 : 1;
}

}  // namespace
}  // namespace fantail

int main(int argc, char** argv) {
  const std::string parent = argc > 1 ? argv[1] : ".";
  const std::uint64_t jobs = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 3'000'000;
  const std::uint64_t rows_per_commit = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 10'000;
  int failed = 0;
  for (const fantail::Keep keep : {fantail::Keep::kAll, fantail::Keep::kFailures, fantail::Keep::kSummary})
    failed |= fantail::measure(parent, keep, jobs, rows_per_commit);
  return failed;
}
