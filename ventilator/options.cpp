#include "ventilator/options.h"

#include <filesystem>

#include "pipeline/app/arguments.h"
#include "pipeline/app/logging.h"
#include "pipeline/app/signals.h"
#include "ventilator/serving/server.h"
#include "ventilator/ventilator.h"

namespace fantail {

namespace {

// How the process waits is no part of what the run is.
bool is_policy(const std::string& argument) {
  return !argument.starts_with("--wait=") && !argument.starts_with("--heartbeat=");
}

}  // namespace

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
  app.add_flag_callback(
         "--serve",
         [&app, &options] {
           options.serve = true;
           app.require_subcommand(0);
         },
         "Take runs from `fantail submit`, several at a time; the sink and the workers serve them all")
      ->group("Serving");
  app.add_option("--run-ports", options.run_ports, "With --serve: a port for each open run; 0: any")
      ->capture_default_str()
      ->group("Serving");
  app.add_option("--max-runs", options.max_runs, "With --serve: so many runs are open; others wait, in order")
      ->check(CLI::Range(1, 256))
      ->capture_default_str()
      ->group("Serving");
  add_common_options(app, options.common);
}

// Empty: the addresses may be used.
std::string refuse_addresses(const VentilatorOptions& options) {
  for (const Endpoint& endpoint : options.binds) {
    const std::string refusal = refuse_insecure(endpoint, options.common.insecure);
    if (!refusal.empty()) return "--bind " + refusal;
  }
  const std::string refusal = refuse_insecure(*options.sink, options.common.insecure);
  return refusal.empty() ? refusal : "--sink " + refusal;
}

int serve(const CLI::App& app, const VentilatorOptions& options) {
  const std::vector<std::string> policy = arguments_of_group(app, "Run");
  if (!app.get_subcommands().empty())
    return complain(app.get_name(), "--serve takes its runs from `fantail submit`: leave the kind out");
  if (!policy.empty()) {
    return complain(app.get_name(),
                    policy.front() + " is about one run, and with --serve `fantail submit` says it");
  }
  return run_ventilator_server(options);
}

}  // namespace

int ventilator_main(int argc, char** argv) {
  CLI::App app("Reads the input of a run and gives its jobs to the workers.", "fantail ventilator");
  app.set_version_flag("--version", kVersion);
  VentilatorOptions options;
  add_ventilator_options(app, options);
  KindCommands commands = add_kind_commands(app);
  commands.push_back(add_submitted_command(app));
  app.require_subcommand(1);
  app.footer(
      "Examples:\n  fantail ventilator --bind tcp://*:5557 --insecure --sink tcp://sinkhost:5558 urls "
      "--input "
      "urls.txt\n  fantail ventilator --serve --bind tcp://*:5557 --insecure --sink tcp://sinkhost:5558");
  allow_environment(app);
  if (const auto code = parse_kind_command_line(app, commands, argc, argv)) return *code;
  if (options.parent != 0) end_with_parent(options.parent);
  const std::string refusal = refuse_addresses(options);
  if (!refusal.empty()) return complain(app.get_name(), refusal);
  const std::optional<PortRange> ports = parse_port_range(options.worker_ports);
  if (!ports) {
    return complain(app.get_name(),
                    "--worker-ports \"" + options.worker_ports + "\" is no range: write 5600-6599");
  }
  if (options.serve) return serve(app, options);
  if (options.run.heartbeat < kHeartbeatMin)
    return complain(app.get_name(), "--heartbeat must be at least 10ms");
  for (const auto& command : commands) {
    if (!command->app->parsed()) continue;
    auto request = make_request(*command, options.run);
    if (auto* error = std::get_if<std::string>(&request)) return complain(app.get_name(), *error);
    if (const auto code = command->act_instead(std::get<RunRequest>(request))) return *code;
    RunCommand typed = run_command_of(app, *command->app);
    if (const std::string& text = std::get<RunRequest>(request).command; !text.empty()) {
      // Whoever serves it may be started elsewhere the next time.
      typed = make_run_command({"submitted", options.run_id}, {}, {});
      typed.text = text;
    }
    return run_ventilator(options, *ports, std::move(std::get<RunRequest>(request)), typed);
  }
  return kExitUsage;
}

}  // namespace fantail
