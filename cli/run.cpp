#include "cli/run.h"

#include <unistd.h>

#include <iostream>
#include <thread>
#include <variant>

#include "cli/run_choice.h"
#include "cli/supervisor.h"
#include "pipeline/app/arguments.h"
#include "pipeline/app/child_process.h"
#include "pipeline/app/command_line.h"
#include "pipeline/app/signals.h"
#include "sink/options.h"
#include "ventilator/options.h"
#include "worker/child/program_start.h"
#include "worker/options.h"

namespace fantail {

namespace {

constexpr const char* kLocalWait = "30s";

void append(std::vector<std::string>& arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
}

// What every child is told.
std::vector<std::string> process_arguments(const CLI::App& app, const CommonOptions& common,
                                           const std::string& role) {
  std::vector<std::string> arguments{"--parent=" + std::to_string(getpid())};
  // The run speaks through its rows, table and summary; its children only of trouble.
  const bool chosen = app.get_option("--log-level")->count() > 0;
  arguments.push_back("--log-level=" + (chosen ? common.log_level : std::string("warn")));
  if (!common.state_dir.empty()) arguments.push_back("--state-dir=" + common.state_dir + "/" + role);
  return arguments;
}

std::vector<ChildCommand> make_children(const CLI::App& app, const CLI::App& kind,
                                        const CommonOptions& common, const std::string& folder,
                                        const std::string& run, std::uint32_t workers) {
  const std::string ventilator = "ipc://" + folder + "/ventilator";
  const std::string sink = "ipc://" + folder + "/sink";
  std::vector<ChildCommand> children;
  const auto add = [&](ChildCommand::Role role, const std::string& name, std::vector<std::string> arguments) {
    append(arguments, process_arguments(app, common, name));
    children.push_back({role, role_executable(name), std::move(arguments)});
  };
  const bool wait_chosen = app.get_option("--wait")->count() > 0;
  const std::vector<std::string> wait = wait_chosen
                                            ? std::vector<std::string>{}
                                            : std::vector<std::string>{std::string("--wait=") + kLocalWait};

  std::vector<std::string> sink_arguments{"--bind=" + sink, "--run=" + run};
  append(sink_arguments, arguments_of_group(app, "Output"));
  add(ChildCommand::Role::kSink, "sink", sink_arguments);

  std::vector<std::string> worker_arguments{"--ventilator=" + ventilator};
  append(worker_arguments, arguments_of_group(app, "Worker"));
  if (app.get_option("--slots")->count() == 0) worker_arguments.push_back("--slots=1");
  if (app.get_option("--slowdown")->count() > 0) {
    worker_arguments.push_back("--slowdown=" + app.get_option("--slowdown")->results().front());
  }
  for (std::uint32_t index = 0; index < workers; ++index)
    add(ChildCommand::Role::kWorker, "worker", worker_arguments);

  std::vector<std::string> ventilator_arguments{"--bind=" + ventilator, "--sink=" + sink, "--run=" + run};
  append(ventilator_arguments, arguments_of_group(app, "Run"));
  append(ventilator_arguments, wait);
  if (app.get_option(kRetryFailed)->count() > 0) ventilator_arguments.emplace_back(kRetryFailed);
  append(ventilator_arguments, process_arguments(app, common, "ventilator"));
  append(ventilator_arguments, arguments_of_subcommand(kind));
  children.push_back({ChildCommand::Role::kVentilator, role_executable("ventilator"), ventilator_arguments});
  return children;
}

// What every job would fail of. Only here, where the workers are on the same machine.
std::string function_problem(const std::string& program) {
  std::string problem = program_problem(program);
  if (problem.empty()) return problem;
  const bool is_here = access(program.c_str(), F_OK) == 0;
  if (is_here && program.find('/') == std::string::npos) return problem + "; write ./" + program;
  if (is_here) return problem + "; chmod +x it, or begin with its interpreter: python3 " + program;
  return problem;
}

}  // namespace

int run_main(int argc, char** argv) {
  CLI::App app("Runs everything on this machine: a ventilator, workers and a sink.", "fantail run");
  app.set_version_flag("--version", kVersion);
  RunOptions run;
  OutputOptions output;
  SlotOptions slots;
  CommonOptions common;
  std::uint32_t workers = std::max(std::thread::hardware_concurrency(), 1U);
  add_run_options(app, run);
  app.add_option("-j,--workers", workers, "Worker processes, one slot each")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group("Process");
  add_slot_options(app, slots);
  add_output_options(app, output);
  add_common_options(app, common);
  RunChoiceOptions choice;
  add_run_choice_options(app, choice);
  const auto commands = add_kind_commands(app);
  app.require_subcommand(1);
  app.footer(
      "Examples:\n  fantail run files /usr/include\n  fantail run -j 4 urls --input urls.txt --deadline 30s "
      "--output pages.jsonl\n  fantail run --retry-failed urls --input urls.txt");
  allow_environment(app);
  if (const auto code = parse_kind_command_line(app, commands, argc, argv)) return *code;

  const KindCommand* chosen = nullptr;
  proto::KindSpec spec;
  for (const auto& command : commands) {
    if (!command->app->parsed()) continue;
    chosen = command.get();
    // The ventilator will make it again; here it only shows what is wrong before anything is started.
    auto request = make_request(*command, run);
    if (const auto* error = std::get_if<std::string>(&request)) return complain(app.get_name(), *error);
    if (const auto code = command->act_instead(std::get<RunRequest>(request))) return *code;
    spec = std::get<RunRequest>(request).spec;
  }
  std::string problem = check_output_options(output);
  if (problem.empty() && !spec.has_exec() && (output.tag || !output.joblog.empty()))
    problem = "--tag and --joblog are about processes, which the kind exec runs: leave them out";
  if (problem.empty() && spec.has_map()) problem = function_problem(spec.map().command(0));
  if (!problem.empty()) return complain(app.get_name(), problem);
  const auto run_text = choose_run(app, *chosen->app, common, choice, spec);
  if (const auto* error = std::get_if<Refusal>(&run_text))
    return complain(app.get_name(), error->reason, error->code);
  Signals signals;
  const PrivateFolder folder;
  if (folder.path().empty()) {
    return complain(app.get_name(),
                    "cannot make a directory in " + PrivateFolder::parent() + "; set XDG_RUNTIME_DIR",
                    kExitInfrastructure);
  }
  return Supervisor(make_children(app, *chosen->app, common, folder.path(), std::get<std::string>(run_text),
                                  workers))
      .run(signals);
}

}  // namespace fantail
