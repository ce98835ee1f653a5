#include "sink/options.h"

#include "pipeline/app/signals.h"
#include "sink/serving/server.h"
#include "sink/sink.h"

namespace fantail {

namespace {

constexpr std::string_view kRunPlace = "{run}";

}  // namespace

bool names_run(const OutputOptions& options) {
  return (options.output + "\n" + options.report + "\n" + options.joblog).find(kRunPlace) !=
         std::string::npos;
}

OutputOptions with_run(OutputOptions options, const std::string& run) {
  for (std::string* name : {&options.output, &options.report, &options.joblog}) {
    for (std::size_t at = 0; (at = name->find(kRunPlace, at)) != std::string::npos; at += run.size())
      name->replace(at, kRunPlace.size(), run);
  }
  return options;
}

void add_output_options(CLI::App& app, OutputOptions& options) {
  app.add_option("--format", options.format,
                 "auto, table, jsonl or csv; auto: a table on a terminal, else JSON lines")
      ->check(CLI::IsMember({"auto", "table", "jsonl", "csv"}))
      ->capture_default_str()
      ->group("Output");
  app.add_option("--output", options.output,
                 "Write the rows to FILE as they come; -: stdout. {run} in it is the run's id")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--report", options.report,
                 "Write the report, one JSON object, to FILE; -: stdout. {run} as above")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("-k,--keep-order", options.keep_order, "Rows in the order of the input")->group("Output");
  app.add_option(
         "--keep", options.keep,
         "Which rows the ledger keeps: all, failures or summary; the books are kept in any case [all]")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Keep>{
          {"all", Keep::kAll}, {"failures", Keep::kFailures}, {"summary", Keep::kSummary}}))
      ->type_name("WHAT")
      ->group("Output");
  app.add_flag("--tag", options.tag, "exec: every line of output begins with its job's arguments and a tab")
      ->group("Output");
  app.add_option("--joblog", options.joblog,
                 "exec: write a line for each process to FILE, as GNU parallel does")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("--all", options.all, "The table has a line for every job")->group("Output");
  app.add_option("--progress", options.progress, "auto, tty, plain or quiet")
      ->check(CLI::IsMember({"auto", "tty", "plain", "quiet"}))
      ->capture_default_str()
      ->group("Output");
}

std::string check_output_options(const OutputOptions& options) {
  if (options.tag && !passes_output(options))
    return "--tag marks what processes print, and with --output or --format rows are written instead: leave "
           "one "
           "of them out";
  if (!options.keep_order || options.keep == Keep::kAll) return {};
  return std::string(
             "--keep-order reads rows that had to leave memory back from the ledger, and with --keep ") +
         (options.keep == Keep::kSummary ? "summary there are none"
                                         : "failures those of ok jobs are not there") +
         ": leave --keep out, or --keep-order";
}

namespace {

// Runs at the same time would write over each other. Empty: they do not.
std::string shared_file(const OutputOptions& options) {
  for (const auto& [flag, name] :
       {std::pair{"--output", options.output}, {"--report", options.report}, {"--joblog", options.joblog}}) {
    if (name == "-")
      return std::string(flag) +
             " -: with --serve rows and table go to whoever submitted the run: leave it out";
    if (!name.empty() && name.find(kRunPlace) == std::string::npos)
      return std::string(flag) + " " + name +
             " would be every run's: write {run} into it, such as rows-{run}.jsonl";
  }
  return {};
}

}  // namespace

int sink_main(int argc, char** argv) {
  CLI::App app("Takes the results in, writes rows and the report, and knows when the run is complete.",
               "fantail sink");
  app.set_version_flag("--version", kVersion);
  SinkOptions options;
  add_endpoint(app, "--bind", options.binds,
               "Where ventilator and workers reach the sink [tcp://127.0.0.1:5558]")
      ->group("Addresses");
  app.add_option("--data-port", options.data_port, "Port for the results [the one after --bind's]")
      ->group("Addresses");
  add_duration(app, "--wait", options.wait, "Give up when no ventilator came so long")->group("Run");
  app.add_option("--keep-runs", options.keep_runs, "So many finished runs stay in --state-dir")
      ->capture_default_str()
      ->group("Output");
  app.add_flag("--serve", options.serve, "Take the runs of a `fantail ventilator --serve`, several at a time")
      ->group("Serving");
  app.add_option("--run-ports", options.run_ports, "With --serve: two ports for each open run; 0: any")
      ->capture_default_str()
      ->group("Serving");
  app.add_option("--run", options.run_id)->group("");
  app.add_option("--parent", options.parent)->group("");
  add_output_options(app, options.output);
  add_common_options(app, options.common);
  app.footer(
      "Examples:\n  fantail sink --bind tcp://*:5558 --insecure --output results.jsonl --report report.json\n"
      "  fantail sink --serve --bind tcp://*:5558 --insecure --report 'reports/{run}.json'");
  allow_environment(app);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  if (options.parent != 0) end_with_parent(options.parent);
  for (const Endpoint& endpoint : options.binds) {
    const std::string refusal = refuse_insecure(endpoint, options.common.insecure);
    if (!refusal.empty()) return complain(app.get_name(), "--bind " + refusal);
  }
  const std::string problem = check_output_options(options.output);
  if (!problem.empty()) return complain(app.get_name(), problem);
  if (!options.serve) return run_sink(options);
  const std::string shared = shared_file(options.output);
  if (!shared.empty()) return complain(app.get_name(), shared);
  return run_sink_server(options);
}

}  // namespace fantail
