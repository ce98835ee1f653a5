#include "ventilator/options.h"

#include <filesystem>

#include "pipeline/app/arguments.h"
#include "pipeline/app/logging.h"
#include "pipeline/app/signals.h"
#include "pipeline/duration.h"
#include "pipeline/halt.h"
#include "pipeline/rate.h"
#include "ventilator/ventilator.h"

namespace fantail {

namespace {

void add_halt_options(CLI::App& app, RunOptions& options) {
  CLI::Option* halt =
      app.add_option_function<std::string>(
             "--halt",
             [&options](const std::string& text) {
               options.halt = parse_halt(text);
               if (!options.halt) {
                 throw CLI::ValidationError("--halt",
                                            "\"" + text +
                                                "\" is no such policy: write now or soon, then fail, "
                                                "success or done: now,fail=1 or soon,done=50%");
               }
             },
             "End the run early: now,fail=1 stops what runs, soon,fail=3% lets it finish; also success= and "
             "done=")
          ->type_name("WHEN,WHAT=N[%]")
          ->group("Run");
  app.add_flag("--first{1}", options.first,
               "The first N successes win [1]: the run is over, all other jobs are cancelled")
      ->check(CLI::PositiveNumber)
      ->excludes(halt)
      ->group("Run");
}

std::optional<BackoffPolicy> parse_backoff(const std::string& text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return std::nullopt;
  const auto first = parse_duration(text.substr(0, dots));
  const auto longest = parse_duration(text.substr(dots + 2));
  if (!first || !longest || *first > *longest) return std::nullopt;
  return BackoffPolicy{*first, *longest};
}

// How the process waits is no part of what the run is.
bool is_policy(const std::string& argument) {
  return !argument.starts_with("--wait=") && !argument.starts_with("--heartbeat=");
}

}  // namespace

void add_run_options(CLI::App& app, RunOptions& options) {
  add_duration(app, "--deadline", options.deadline, "When the whole run must be over; open jobs expire")
      ->group("Run");
  add_duration(app, "--wait", options.wait, "Give up when no worker or no sink came so long")->group("Run");
  add_duration(app, "--heartbeat", options.heartbeat, "How often workers say that they live [1s]")
      ->group("Run");
  app.add_option("--max-deaths", options.deaths_max,
                 "A job is given up when so many workers died of it, the last one alone with it; 0: never")
      ->capture_default_str()
      ->group("Run");
  add_halt_options(app, options);
  app.add_option("--max-running", options.max_running,
                 "At most N jobs run at a time, over all workers; 0: as many as there are slots [0]")
      ->type_name("N")
      ->group("Run");
  app.add_option_function<std::string>(
         "--rate",
         [&options](const std::string& text) {
           const std::optional<double> rate = parse_rate(text);
           if (!rate)
             throw CLI::ValidationError("--rate", "\"" + text + "\" is no rate: write 100/s, 30/m or 5/h");
           options.rate = *rate;
         },
         "So many jobs start in a second (100/s), minute (30/m) or hour (5/h), over all workers")
      ->type_name("RATE")
      ->group("Run");
  app.add_option("--retries", options.retries,
                 "So many more attempts for a job whose failure may pass: a timeout, not a missing file")
      ->capture_default_str()
      ->type_name("N")
      ->group("Run");
  app.add_option_function<std::string>(
         "--backoff",
         [&options](const std::string& text) {
           const std::optional<BackoffPolicy> backoff = parse_backoff(text);
           if (!backoff) {
             throw CLI::ValidationError("--backoff",
                                        "\"" + text + "\" is no range of durations: write 1s..30s");
           }
           options.backoff = *backoff;
         },
         "How long to wait before another attempt: up to the first, doubled each time, up to the second "
         "[1s..30s]")
      ->type_name("FIRST..LONGEST")
      ->group("Run");
}

std::optional<proto::Halt> RunOptions::goal() const {
  if (first == 0) return halt;
  proto::Halt goal;
  goal.set_level(proto::STOP_RUNNING);
  goal.set_what(proto::Halt::OK);
  goal.set_jobs(first);
  return goal;
}

RunCommand plain_command_of(const CLI::App& app, const CLI::App& kind) {
  std::vector<std::string> policy;
  for (const std::string& argument : arguments_of_group(app, "Run")) {
    if (is_policy(argument)) policy.push_back(argument);
  }
  std::error_code failure;
  return make_run_command(arguments_of_subcommand(kind), policy,
                          std::filesystem::current_path(failure).string());
}

RunCommand run_command_of(const CLI::App& app, const CLI::App& kind) {
  const RunCommand command = plain_command_of(app, kind);
  return app.get_option(kRetryFailed)->count() > 0 ? retry_command(command) : command;
}

namespace {

constexpr Duration kHeartbeatMin = std::chrono::milliseconds(10);

void add_ventilator_options(CLI::App& app, VentilatorOptions& options) {
  add_run_options(app, options.run);
  add_endpoint(app, "--bind", options.binds, "Where workers reach the ventilator [tcp://127.0.0.1:5557]")
      ->group("Addresses");
  add_endpoint(app, "--sink", options.sink, "Where the sink is [tcp://127.0.0.1:5558]")->group("Addresses");
  app.add_option("--worker-ports", options.worker_ports, "Ports for the workers' lanes; 0: any")
      ->capture_default_str()
      ->group("Addresses");
  app.add_option("--keep-runs", options.keep_runs, "So many finished runs stay in --state-dir")
      ->capture_default_str()
      ->group("Process");
  app.add_option("--run", options.run_id)->group("");
  app.add_flag(kRetryFailed)->group("");  // `fantail run` has made the inputs
  app.add_option("--parent", options.parent)->group("");
  add_common_options(app, options.common);
}

}  // namespace

int ventilator_main(int argc, char** argv) {
  CLI::App app("Reads the input of a run and gives its jobs to the workers.", "fantail ventilator");
  app.set_version_flag("--version", kVersion);
  VentilatorOptions options;
  add_ventilator_options(app, options);
  const auto commands = add_kind_commands(app);
  app.require_subcommand(1);
  app.footer(
      "Example:\n  fantail ventilator --bind tcp://*:5557 --insecure --sink tcp://sinkhost:5558 urls --input "
      "urls.txt");
  allow_environment(app);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  if (options.parent != 0) end_with_parent(options.parent);
  for (const Endpoint& endpoint : options.binds) {
    const std::string refusal = refuse_insecure(endpoint, options.common.insecure);
    if (!refusal.empty()) return complain(app.get_name(), "--bind " + refusal);
  }
  const std::string refusal = refuse_insecure(*options.sink, options.common.insecure);
  if (!refusal.empty()) return complain(app.get_name(), "--sink " + refusal);
  const std::optional<PortRange> ports = parse_port_range(options.worker_ports);
  if (!ports) {
    return complain(app.get_name(),
                    "--worker-ports \"" + options.worker_ports + "\" is no range: write 5600-6599");
  }
  if (options.run.heartbeat < kHeartbeatMin)
    return complain(app.get_name(), "--heartbeat must be at least 10ms");
  for (const auto& command : commands) {
    if (!command->app->parsed()) continue;
    auto request = command->make_request();
    if (auto* error = std::get_if<std::string>(&request)) return complain(app.get_name(), *error);
    return run_ventilator(options, *ports, std::move(std::get<RunRequest>(request)),
                          run_command_of(app, *command->app));
  }
  return kExitUsage;
}

}  // namespace fantail
