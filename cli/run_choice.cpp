#include "cli/run_choice.h"

#include <filesystem>
#include <iostream>

#include "cli/run_lookup.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/number.h"
#include "pipeline/ulid.h"
#include "sink/ledger_file.h"
#include "ventilator/retry.h"

namespace fantail {

namespace {

constexpr const char* kResume = "--resume";

struct StateFolders {
  std::string ventilator;
  std::string sink;
};

std::variant<StateFolders, Refusal> make_state_folders(const std::string& chosen) {
  std::string error;
  const auto make = [&](const char* role) {
    return make_state_dir(chosen.empty() ? std::string() : chosen + "/" + role, role, error);
  };
  StateFolders folders{make("ventilator"), make("sink")};
  if (folders.ventilator.empty() || folders.sink.empty()) return Refusal{error, kExitInfrastructure};
  return folders;
}

// How much of a run is done, as its ledger says: "63 %".
std::string progress_of(const std::string& sink_folder) {
  const auto ledger = LedgerFile::open_to_read(sink_folder);
  if (std::holds_alternative<LedgerError>(ledger)) return "an unknown part";
  const JobCounts& counts = std::get<std::unique_ptr<LedgerFile>>(ledger)->books().counts;
  return std::to_string(counts.submitted == 0 ? 0 : counts.done() * 100 / counts.submitted) + " %";
}

std::variant<std::string, Refusal> resume_run(const StateFolders& folders, const RunCommand& command,
                                              const std::string& wanted) {
  std::string run = wanted;
  if (run.empty()) {
    run = find_unfinished_run(folders.ventilator, command).value_or(std::string());
    if (run.empty())
      return Refusal{"there is no unfinished run of this command in " + folders.ventilator +
                     "; leave out --resume"};
  } else {
    const auto found = find_run(list_run_folders(folders.ventilator), wanted, folders.ventilator);
    if (const auto* error = std::get_if<std::string>(&found)) return Refusal{"--resume: " + *error};
    run = std::get<RunFolder>(found).run;
    if (!belongs_to(std::get<RunFolder>(found).path, command)) {
      return Refusal{"--resume: run " + run +
                     " belongs to another command, which has to be given: `fantail runs` shows it"};
    }
  }
  const auto lock = lock_run(run_folder_path(folders.ventilator, run));
  if (const auto* holder = std::get_if<std::string>(&lock)) return Refusal{*holder, kExitInfrastructure};
  return run;
}

// A new run takes nothing from an unfinished one of the same command, and says that it is there.
void mention_unfinished(const StateFolders& folders, const RunCommand& command) {
  const auto unfinished = find_unfinished_run(folders.ventilator, command);
  if (!unfinished) return;
  const auto lock = lock_run(run_folder_path(folders.ventilator, *unfinished));
  if (std::holds_alternative<std::string>(lock)) return;
  std::cerr << "fantail run: run " << *unfinished << " stopped at "
            << progress_of(run_folder_path(folders.sink, *unfinished)) << ": continue with --resume"
            << (command.retries ? " --retry-failed" : "") << '\n';
}

// The finished run that is to be retried: the newest one of the command or of its retries, or the one that is
// wanted, which may be of a command with other flags.
std::variant<RunFolder, Refusal> find_retried(const StateFolders& folders, const RunCommand& command,
                                              const RunCommand& retry, const std::string& wanted) {
  const std::vector<RunFolder> runs = list_run_folders(folders.ventilator);
  if (wanted.empty()) {
    for (const RunFolder& run : runs) {
      if (run.finished && (belongs_to(run.path, command) || belongs_to(run.path, retry))) return run;
    }
    return Refusal{"--retry-failed: there is no finished run of this command in " + folders.ventilator +
                   "; leave --retry-failed out, or name a run"};
  }
  const auto found = find_run(runs, wanted, folders.ventilator);
  if (const auto* error = std::get_if<std::string>(&found)) {
    // What its outcomes were may still be known.
    const std::string known =
        std::holds_alternative<RunFolder>(find_run(recorded_runs(folders.sink), wanted, folders.sink))
            ? "the inputs of run " + wanted + " are no longer kept in " + folders.ventilator +
                  ": run its command anew"
            : *error;
    return Refusal{"--retry-failed: " + known};
  }
  const RunFolder& run = std::get<RunFolder>(found);
  if (!run.finished) {
    return Refusal{"--retry-failed: run " + run.run +
                   " is not finished: continue it with --resume=" + run.run};
  }
  return run;
}

std::variant<RangeSet, Refusal> ok_jobs_of(const std::string& sink, const std::string& run) {
  const auto opened = LedgerFile::open_to_read(run_folder_path(sink, run));
  if (const auto* error = std::get_if<LedgerError>(&opened)) {
    if (error->fault != LedgerFault::kMissing) return Refusal{error->message, kExitInfrastructure};
    return Refusal{"--retry-failed: how the jobs of run " + run + " ended is no longer kept in " + sink +
                   ": leave --retry-failed out"};
  }
  LedgerFile& ledger = *std::get<std::unique_ptr<LedgerFile>>(opened);
  if (const auto error = ledger.check()) return Refusal{error->message, kExitInfrastructure};
  auto ok = ledger.done_with(Status::kOk);
  if (const auto* error = std::get_if<LedgerError>(&ok)) return Refusal{error->message, kExitInfrastructure};
  return std::get<RangeSet>(std::move(ok));
}

std::variant<std::string, Refusal> begin_retry(const StateFolders& folders, const RunCommand& command,
                                               const std::string& wanted, const proto::KindSpec& spec) {
  RunCommand retry = retry_command(command);
  const auto found = find_retried(folders, command, retry, wanted);
  if (const auto* refusal = std::get_if<Refusal>(&found)) return *refusal;
  const std::string& old = std::get<RunFolder>(found).run;
  const auto ok = ok_jobs_of(folders.sink, old);
  if (const auto* refusal = std::get_if<Refusal>(&ok)) return *refusal;
  retry.text = std::string(kRetryFailed) + "=" + old + " " + command.text;
  std::string run = ulid_text(new_ulid());
  const auto prepared = prepare_retry(folders.ventilator, old, std::get<RangeSet>(ok), run, retry, spec);
  if (const auto* error = std::get_if<std::string>(&prepared)) return Refusal{*error, kExitInfrastructure};
  const RetryPlan& plan = std::get<RetryPlan>(prepared);
  const std::string rest =
      plan.input_complete ? "" : "; its input was not read to the end, and what is missing is not retried";
  if (plan.retried == 0) {
    return Refusal{"nothing to retry: " + format_items(plan.submitted, "job", "jobs") + " of run " + old +
                       ", all ok" + rest,
                   0};
  }
  std::cerr << "fantail run: retrying " << format_count(plan.retried) << " of "
            << format_items(plan.submitted, "job", "jobs") << " of run " << old << rest << '\n';
  prune_run_folders(folders.ventilator, kKeepRunsDefault);
  return run;
}

}  // namespace

void add_run_choice_options(CLI::App& app, RunChoiceOptions& options) {
  app.add_option(kResume, options.resume, "Go on with the unfinished run of the same command, or with RUN")
      ->expected(0, 1)
      ->type_name("[=RUN]")
      ->group("Process");
  app.add_option(kRetryFailed, options.retry_failed,
                 "Only the jobs that are not ok in the last finished run of the same command, or in RUN")
      ->expected(0, 1)
      ->type_name("[=RUN]")
      ->group("Process");
}

std::variant<std::string, Refusal> choose_run(const CLI::App& app, const CLI::App& kind,
                                              const CommonOptions& common, const RunChoiceOptions& options,
                                              const proto::KindSpec& spec) {
  const auto made = make_state_folders(common.state_dir);
  if (const auto* refusal = std::get_if<Refusal>(&made)) return *refusal;
  const StateFolders& folders = std::get<StateFolders>(made);
  const bool resumes = app.get_option(kResume)->count() > 0;
  const bool retries = app.get_option(kRetryFailed)->count() > 0;
  const RunCommand command = run_command_of(app, kind);
  if (resumes && !options.retry_failed.empty())
    return Refusal{"--resume goes on with a retry that has begun: leave out the run of --retry-failed"};
  if (resumes) return resume_run(folders, command, options.resume);
  mention_unfinished(folders, command);
  if (retries) return begin_retry(folders, plain_command_of(app, kind), options.retry_failed, spec);
  return ulid_text(new_ulid());
}

}  // namespace fantail
