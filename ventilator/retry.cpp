#include "ventilator/retry.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "pipeline/app/durable.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/ulid.h"
#include "ventilator/spool.h"

namespace fantail {

namespace {

constexpr std::uint64_t kCopiedAtOnce = 4096;
// A folder of this name is no run: whoever dies before it has its inputs leaves nothing to be taken up.
constexpr const char* kUnready = ".unready";

void remove_unready(const std::string& state_dir) {
  std::error_code failure;
  std::vector<std::filesystem::path> left;
  for (std::filesystem::directory_iterator entry(state_dir + "/runs", failure);
       !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    if (entry->path().extension() == kUnready) left.push_back(entry->path());
  }
  for (const std::filesystem::path& folder : left) {
    const auto lock = lock_run(folder.string());
    if (std::holds_alternative<RunLock>(lock)) std::filesystem::remove_all(folder, failure);
  }
}

std::optional<std::string> copy_inputs(const Spool& from, const std::vector<JobSpan>& jobs, Spool& to) {
  for (const JobSpan& span : jobs) {
    for (JobId first = span.first; first < span.end; first += kCopiedAtOnce) {
      const auto inputs = from.read({first, std::min(span.end, first + kCopiedAtOnce)});
      if (!inputs) return "the inputs of the old run cannot be read back: run the command anew";
      for (const std::string& input : *inputs)
        to.append(input);
      if (const auto fault = to.sync()) return fault->message;
    }
  }
  to.close_input(true, 0);
  if (const auto fault = to.sync()) return fault->message;
  return std::nullopt;
}

std::optional<std::string> make_folder(const std::string& folder, const SpoolRun& header,
                                       const RunCommand& command, const Spool& from,
                                       const std::vector<JobSpan>& jobs) {
  auto made = Spool::create(folder, header);
  if (auto* error = std::get_if<std::string>(&made)) return *error;
  if (auto error = copy_inputs(from, jobs, std::get<Spool>(made))) return error;
  return write_command(folder, command);
}

}  // namespace

std::variant<RetryPlan, std::string> prepare_retry(const std::string& state_dir, const std::string& of,
                                                   const RangeSet& ok, const std::string& run,
                                                   const RunCommand& command, const proto::KindSpec& spec) {
  const std::string old_folder = run_folder_path(state_dir, of);
  const auto old_lock = lock_run(old_folder);
  if (const auto* error = std::get_if<std::string>(&old_lock)) return *error;
  const auto opened = Spool::open(old_folder);
  if (const auto* error = std::get_if<std::string>(&opened)) return *error;
  const Spool& old = std::get<Spool>(opened);
  proto::KindSpec old_spec;
  if (!old_spec.ParseFromString(old.run().spec) || old_spec.kind_case() != spec.kind_case())
    return "run " + of + " has another kind of jobs: " + old.run().command;
  const std::vector<JobSpan> jobs = ok.missing_from({0, old.size()});
  RetryPlan plan;
  plan.submitted = old.size();
  plan.input_complete = old.input_complete();
  for (const JobSpan& span : jobs)
    plan.retried += span.size();
  if (plan.retried == 0) return plan;

  remove_unready(state_dir);
  const std::string folder = run_folder_path(state_dir, run);
  const std::string unready = folder + kUnready;
  if (auto error = make_folder_durably(unready)) return *error;
  const auto lock = lock_run(unready);
  if (const auto* error = std::get_if<std::string>(&lock)) return *error;
  const SpoolRun header{parse_ulid(run).value_or(std::string()), command.identity, command.text,
                        spec.SerializeAsString()};
  std::optional<std::string> error = make_folder(unready, header, command, old, jobs);
  std::error_code failure;
  if (!error) {
    std::filesystem::rename(unready, folder, failure);
    error =
        failure ? "cannot rename " + unready + ": " + failure.message() : sync_folder(state_dir + "/runs");
  }
  if (!error) return plan;
  std::filesystem::remove_all(unready, failure);
  return *error;
}

}  // namespace fantail
