#include "cli/runs.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/run_lookup.h"
#include "pipeline/number.h"
#include "sink/json_text.h"
#include "sink/recorded_run.h"
#include "sink/terminal.h"

namespace fantail {

namespace {

constexpr std::size_t kColumns = 7;
constexpr std::size_t kFirstNumber = 4;  // the columns of numbers stand to the right
constexpr std::size_t kFirstText = 6;
constexpr std::size_t kCommandMin = 24;
constexpr const char* kUnreadable = "unreadable";

using Line = std::array<std::string, kColumns>;

std::string time_text(std::uint64_t unix_seconds, bool utc) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  char text[32] = "";
  if (utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts))
    std::strftime(text, sizeof text, utc ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

nlohmann::ordered_json json_of(const RecordedRun& run) {
  const JobCounts& jobs = run.summary.jobs;
  nlohmann::ordered_json line;
  line["run_id"] = run.ledger->run().run_id;
  line["created_at"] = time_text(run.ledger->run().created_at, true);
  line["kind"] = run.ledger->run().kind;
  line["state"] = recorded_state(run);
  line["jobs"] = {{"submitted", jobs.submitted}, {"done", jobs.done()},         {"ok", jobs.ok},
                  {"failed", jobs.failed},       {"cancelled", jobs.cancelled}, {"expired", jobs.expired}};
  line["keep"] = keep_name(run.ledger->run().keep);
  line["command"] = json_text(run.ledger->run().command);
  return line;
}

Line line_of(const RecordedRun& run, const Terminal& terminal) {
  const JobCounts& jobs = run.summary.jobs;
  std::string state(recorded_state(run));
  std::replace(state.begin(), state.end(), '_', ' ');
  const std::string command = escape_control(run.ledger->run().command);
  return {run.ledger->run().run_id,
          time_text(run.ledger->run().created_at, false),
          run.ledger->run().kind,
          state,
          format_count(jobs.done()) + "/" + format_count(jobs.submitted),
          format_count(jobs.failed),
          terminal.unicode ? command : escape_non_ascii(command)};
}

void print_table(const std::vector<Line>& lines, const Terminal& terminal) {
  std::array<std::size_t, kColumns> widths{};
  for (const Line& line : lines) {
    for (std::size_t column = 0; column < kColumns; ++column)
      widths[column] = std::max(widths[column], display_width(line[column]));
  }
  std::size_t before = 0;
  for (std::size_t column = 0; column < kFirstText; ++column)
    before += widths[column] + 2;
  // On a narrow terminal lines are broken rather than that commands cannot be told from each other.
  const std::size_t room =
      std::max(kCommandMin, std::size_t{terminal.width} - std::min(std::size_t{terminal.width}, before));
  for (const Line& line : lines) {
    for (std::size_t column = 0; column < kFirstText; ++column) {
      const bool number = column >= kFirstNumber;
      std::cout << (number ? pad_left(line[column], widths[column]) : pad_right(line[column], widths[column]))
                << "  ";
    }
    std::cout << truncate_end(line[kFirstText], room, terminal.unicode ? "…" : "...") << '\n';
  }
}

}  // namespace

int runs_main(int argc, char** argv) {
  CLI::App app("Lists the runs that were recorded on this machine, newest first.", "fantail runs");
  app.set_version_flag("--version", kVersion);
  std::string state_dir;
  std::string format = "auto";
  add_state_dir(app, state_dir, "the sink");
  app.add_option("--format", format, "auto, table or jsonl; auto: a table on a terminal, else JSON lines")
      ->check(CLI::IsMember({"auto", "table", "jsonl"}))
      ->capture_default_str();
  app.footer(
      "Examples:\n  fantail runs\n  fantail runs --format jsonl | jq -r 'select(.jobs.failed > 0).run_id'");
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  state_dir = role_state_dir(state_dir, "sink");
  const Terminal terminal = terminal_of(STDOUT_FILENO);
  const bool table = format == "table" || (format == "auto" && terminal.is_terminal);
  std::vector<Line> lines{{"RUN", "BEGAN", "KIND", "STATE", "DONE", "FAILED", "COMMAND"}};
  std::size_t runs = 0;
  for (const RunFolder& folder : recorded_runs(state_dir)) {
    const auto read = read_recorded_run(folder.path);
    const auto* run = std::get_if<RecordedRun>(&read);
    const auto* error = std::get_if<LedgerError>(&read);
    if (error != nullptr && error->fault == LedgerFault::kMissing) continue;
    ++runs;
    if (error != nullptr) complain(app.get_name(), error->message);
    if (table) {
      lines.push_back(run ? line_of(*run, terminal) : Line{folder.run, "", "", kUnreadable, "", "", ""});
    } else {
      const nlohmann::ordered_json line =
          run ? json_of(*run) : nlohmann::ordered_json{{"run_id", folder.run}, {"state", kUnreadable}};
      std::cout << line.dump() << '\n';
    }
  }
  if (runs == 0) return complain(app.get_name(), "there are no runs in " + state_dir, 0);
  if (table) print_table(lines, terminal);
  return 0;
}

}  // namespace fantail
