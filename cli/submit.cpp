#include "cli/submit.h"

#include <unistd.h>

#include <iostream>

#include "cli/submitter.h"
#include "pipeline/app/arguments.h"
#include "pipeline/app/command_line.h"
#include "pipeline/app/signals.h"
#include "sink/options.h"
#include "sink/terminal.h"
#include "ventilator/options.h"

namespace fantail {

namespace {

constexpr Duration kWaitDefault = std::chrono::seconds(30);

// As the sink has to be told them, which sees no terminal.
std::vector<std::string> output_flags(const CLI::App& app, const OutputOptions& output, bool is_exec) {
  std::vector<std::string> flags;
  for (const std::string& flag : arguments_of_group(app, "Output")) {
    if (!flag.starts_with("--progress=") && !flag.starts_with("--format=")) flags.push_back(flag);
  }
  const bool table = output.format == "auto" && terminal_of(STDOUT_FILENO).is_terminal && !is_exec;
  flags.push_back("--format=" + (table ? std::string("table") : output.format));
  const bool line = output.progress == "auto" && terminal_of(STDERR_FILENO).animates;
  flags.push_back("--progress=" + (line ? std::string("tty") : output.progress));
  return flags;
}

proto::SubmittedRun submitted_run(const CLI::App& app, const CLI::App& kind, const RunRequest& request,
                                  const OutputOptions& output, std::int32_t priority) {
  proto::SubmittedRun run;
  run.set_kind(request.kind);
  run.set_asynchronous(request.asynchronous);
  *run.mutable_spec() = request.spec;
  if (request.generated) {
    run.mutable_generated()->set_count(request.generated->count);
    run.mutable_generated()->set_payload_bytes(request.generated->payload_bytes);
  }
  run.set_per_host(request.hosts.per_host);
  run.set_delay_us(static_cast<std::uint64_t>(request.hosts.delay.count()));
  for (const std::string& flag : arguments_of_group(app, "Run"))
    run.add_run_flags(flag);
  for (const std::string& flag : output_flags(app, output, request.spec.has_exec()))
    run.add_output_flags(flag);
  run.set_priority(priority);
  run.set_command(plain_command_of(app, kind).text);
  const Terminal terminal = terminal_of(STDOUT_FILENO);
  if (terminal.is_terminal) run.set_columns(terminal.width);
  return run;
}

std::string check_output(const OutputOptions& output, const RunRequest& request) {
  if (!output.output.empty() || !output.report.empty() || !output.joblog.empty())
    return "rows come to standard output here: write > FILE for --output; --report and --joblog are flags of "
           "the "
           "sink that serves, with {run} in their names";
  if (output.tag && !request.spec.has_exec())
    return "--tag is about processes, which the kind exec runs: leave it out";
  return check_output_options(output);
}

}  // namespace

int submit_main(int argc, char** argv) {
  CLI::App app("Runs on the workers of a ventilator that serves, beside the runs of others.",
               "fantail submit");
  app.set_version_flag("--version", kVersion);
  std::optional<Endpoint> ventilator = parse_endpoint("tcp://127.0.0.1:5557");
  std::int32_t priority = 0;
  RunOptions run;
  OutputOptions output;
  CommonOptions common;
  add_endpoint(app, "--ventilator", ventilator, "Where the ventilator that serves is [tcp://127.0.0.1:5557]")
      ->group("Addresses");
  app.add_option("--priority", priority,
                 "Runs of a higher priority get the workers' slots first; any run gets 1/32 of them [0]")
      ->check(CLI::Range(-1000, 1000))
      ->type_name("P")
      ->group("Process");
  add_run_options(app, run);
  add_output_options(app, output);
  add_common_options(app, common);
  const auto commands = add_kind_commands(app);
  app.require_subcommand(1);
  app.footer(
      "Examples:\n  fantail submit --ventilator tcp://venthost:5557 --insecure urls --input urls.txt > "
      "pages.jsonl\n  "
      "fantail submit --priority 5 exec -- echo {} ::: a b c");
  allow_environment(app);
  if (const auto code = parse_kind_command_line(app, commands, argc, argv)) return *code;
  if (const std::string refusal = refuse_insecure(*ventilator, common.insecure); !refusal.empty())
    return complain(app.get_name(), "--ventilator " + refusal);
  for (const auto& command : commands) {
    if (!command->app->parsed()) continue;
    auto made = make_request(*command, run);
    if (const auto* error = std::get_if<std::string>(&made)) return complain(app.get_name(), *error);
    RunRequest& request = std::get<RunRequest>(made);
    if (const auto code = command->act_instead(request)) return *code;
    if (const std::string problem = check_output(output, request); !problem.empty())
      return complain(app.get_name(), problem);
    Signals signals;
    const bool wait_chosen = app.get_option("--wait")->count() > 0;
    const SubmitOptions options{*ventilator, wait_chosen ? run.wait : kWaitDefault, common.insecure,
                                output.progress == "quiet"};
    return Submitter(options, submitted_run(app, *command->app, request, output, priority),
                     std::move(request.source))
        .run(signals);
  }
  return kExitUsage;
}

}  // namespace fantail
