#include "cli/results.h"

#include <unistd.h>

#include <iostream>

#include "cli/run_lookup.h"
#include "pipeline/number.h"
#include "sink/recorded_run.h"
#include "sink/summary.h"
#include "sink/terminal.h"
#include "sink/writers/csv.h"
#include "sink/writers/jsonl.h"
#include "sink/writers/output_file.h"
#include "sink/writers/table.h"

namespace fantail {

namespace {

// Rows are read in pieces and written between them: whoever reads slowly does not hold up the sink, whose log
// cannot be moved into the file while somebody reads it.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

struct ResultsOptions {
  std::string state_dir;
  std::string run;
  std::string status_text;
  std::optional<Status> status;  // which it names
  std::string format = "auto";
  std::string output;
  bool all = false;
  bool keep_order = false;  // they always do
};

void add_options(CLI::App& app, ResultsOptions& options) {
  app.add_option("run", options.run, "The run, or how its id begins [the newest]")->type_name("RUN");
  app.add_option("--status", options.status_text, "Only rows of this status")
      ->check(CLI::IsMember({"ok", "failed", "cancelled", "expired"}));
  app.add_option("--format", options.format,
                 "auto, table, jsonl or csv; auto: a table on a terminal, else JSON lines")
      ->check(CLI::IsMember({"auto", "table", "jsonl", "csv"}))
      ->capture_default_str();
  app.add_option("--output", options.output, "Write the rows to FILE; -: stdout")->type_name("FILE");
  app.add_flag("--all", options.all, "The table has a line for every job");
  app.add_flag("-k,--keep-order", options.keep_order,
               "Rows in the order of the input, as they are here anyway");
  add_state_dir(app, options.state_dir, "the sink");
  app.footer(
      "Examples:\n  fantail results\n  fantail results --status failed --format csv\n  fantail results "
      "--output rows.jsonl");
}

std::optional<Status> status_of(const std::string& text) {
  for (const Status status : {Status::kOk, Status::kFailed, Status::kCancelled, Status::kExpired}) {
    if (text == status_name(status)) return status;
  }
  return std::nullopt;
}

// Every row that is wanted, in the order of jobs.
template <typename Take, typename Between>
std::optional<std::string> read_rows(const RecordedRun& run, std::optional<Status> status, const Take& take,
                                     const Between& between) {
  RowFilter filter;
  filter.status = status;
  for (bool more = true; more;) {
    more = false;
    const auto error = run.ledger->for_each(filter, RowOrder::kJobs, [&](const Outcome& outcome) {
      filter.from_job = outcome.job + 1;
      more = !take(make_row(*run.kind, outcome));
      return !more;
    });
    if (error) return error->message;
    if (auto problem = between()) return problem;
  }
  return std::nullopt;
}

std::optional<std::string> show_table(const RecordedRun& run, const ResultsOptions& options) {
  const Terminal terminal = terminal_of(STDOUT_FILENO);
  Table table(options.all);
  const auto take = [&](const Row& row) {
    table.add(row);
    return true;
  };
  const auto nothing = []() -> std::optional<std::string> { return std::nullopt; };
  if (auto error = read_rows(run, options.status, take, nothing)) return error;
  std::cout << table.render(terminal.width, terminal.unicode, terminal.color);
  // The summary is of the whole run.
  if (!options.status)
    std::cout << make_summary(run.summary, *run.kind, terminal.unicode ? Charset::kUtf8 : Charset::kAscii);
  std::cout << std::flush;
  return std::nullopt;
}

std::optional<std::string> write_rows(const RecordedRun& run, const ResultsOptions& options) {
  auto opened = OutputFile::open(options.output.empty() ? "-" : options.output);
  if (auto* error = std::get_if<std::string>(&opened)) return *error;
  OutputFile file = std::move(std::get<OutputFile>(opened));
  if (auto error = file.start_at(0)) return error;
  const bool csv = options.format == "csv";
  std::string piece;
  if (csv) append_csv_header(run.kind->field_names(), piece);
  const auto take = [&](const Row& row) {
    if (csv) {
      append_csv(row, piece);
    } else {
      append_jsonl(row, piece);
    }
    return piece.size() < kPieceBytes;
  };
  const auto write = [&]() -> std::optional<std::string> {
    if (auto error = file.append(piece)) return error;
    piece.clear();
    return file.flush();
  };
  if (auto error = read_rows(run, options.status, take, write)) return error;
  return file.close();
}

// What the rows do not show.
std::optional<std::string> tell_what_is_absent(const RecordedRun& run, const ResultsOptions& options,
                                               const std::string& program) {
  const std::string name = "run " + run.summary.run_id;
  const JobCounts& jobs = run.summary.jobs;
  if (!run.ended) {
    complain(program, name + " is " + std::string(recorded_state(run)) + ": " + format_count(jobs.done()) +
                          " of " + format_items(jobs.submitted, "job has", "jobs have") + " a result so far");
  }
  const auto absent = absent_rows(*run.ledger, options.status);
  if (const auto* error = std::get_if<LedgerError>(&absent)) return error->message;
  const AbsentRows& rows = std::get<AbsentRows>(absent);
  if (rows.not_kept > 0) {
    complain(program, format_items(rows.not_kept, "row was", "rows were") + " not kept (--keep " +
                          std::string(keep_name(run.ledger->run().keep)) + ")");
  }
  if (rows.by_number > 0) {
    complain(program, format_items(rows.by_number, "job", "jobs") +
                          " that never started have no row each: the report has them as jobs_without_rows");
  }
  return std::nullopt;
}

}  // namespace

int results_main(int argc, char** argv) {
  CLI::App app("Writes the rows of a run again, in the order of its input, from what the sink keeps of it.",
               "fantail results");
  app.set_version_flag("--version", kVersion);
  ResultsOptions options;
  add_options(app, options);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  if (options.format == "table" && !options.output.empty()) {
    return complain(app.get_name(),
                    "a table is shown and not written: leave --output out, or choose --format jsonl or csv");
  }
  options.status = status_of(options.status_text);
  options.state_dir = role_state_dir(options.state_dir, "sink");
  const auto found = find_run(recorded_runs(options.state_dir), options.run, options.state_dir);
  if (const auto* error = std::get_if<std::string>(&found)) return complain(app.get_name(), *error);
  const auto read = read_recorded_run(std::get<RunFolder>(found).path);
  if (const auto* error = std::get_if<LedgerError>(&read))
    return complain(app.get_name(), error->message, kExitInfrastructure);
  const RecordedRun& run = std::get<RecordedRun>(read);
  const bool on_terminal = options.format == "auto" && options.output.empty() && isatty(STDOUT_FILENO) == 1;
  const bool table = options.format == "table" || on_terminal;
  auto problem = table ? show_table(run, options) : write_rows(run, options);
  if (!problem) problem = tell_what_is_absent(run, options, app.get_name());
  return problem ? complain(app.get_name(), *problem, kExitInfrastructure) : 0;
}

}  // namespace fantail
