#include "cli/verify.h"

#include <iostream>

#include "cli/run_lookup.h"
#include "pipeline/number.h"
#include "sink/ledger_file.h"

namespace fantail {

namespace {

constexpr int kExitNotSound = 1;

std::string examined(const VerifyResult& result) {
  return format_items(result.jobs, "job", "jobs") + " in " +
         format_items(result.commits, "commit", "commits") + ", " + format_items(result.rows, "row", "rows") +
         " hashed again" +
         (result.recomputed ? "; counts, digest and aggregate computed anew" : "; not every row was kept");
}

int not_sound(const std::string& run, std::uint64_t findings) {
  std::cout << "run " << run << " is not sound: " << format_items(findings, "finding", "findings")
            << "; put a copy of its ledger in place, or start the run anew\n";
  return kExitNotSound;
}

}  // namespace

int verify_main(int argc, char** argv) {
  CLI::App app("Checks every row and the books of a run against the hashes that its ledger keeps.",
               "fantail verify");
  app.set_version_flag("--version", kVersion);
  std::string state_dir;
  std::string wanted;
  app.add_option("run", wanted, "The run, or how its id begins [the newest]")->type_name("RUN");
  add_state_dir(app, state_dir, "the sink");
  app.footer(
      "Exit code: 0 sound, 1 not sound, 3 it cannot be read.\n\nExamples:\n  fantail verify\n  fantail "
      "verify "
      "--state-dir ./state");
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  state_dir = role_state_dir(state_dir, "sink");
  const auto found = find_run(recorded_runs(state_dir), wanted, state_dir);
  if (const auto* error = std::get_if<std::string>(&found)) return complain(app.get_name(), *error);
  const RunFolder& run = std::get<RunFolder>(found);
  const auto verified = verify_ledger(run.path);
  if (const auto* error = std::get_if<LedgerError>(&verified)) {
    if (!error->damaged) return complain(app.get_name(), error->message, kExitInfrastructure);
    std::cout << error->message << '\n';
    return not_sound(run.run, 1);
  }
  const VerifyResult& result = std::get<VerifyResult>(verified);
  for (const std::string& finding : result.findings)
    std::cout << finding << '\n';
  if (!result.findings.empty()) return not_sound(run.run, result.findings.size());
  std::cout << "run " << run.run << " is sound: " << examined(result) << '\n';
  return 0;
}

}  // namespace fantail
