// What the sink is told on its command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipeline/app/command_line.h"
#include "pipeline/app/run_folders.h"
#include "sink/ledger_chain.h"

namespace fantail {

// The flags that say where a run ends up. `fantail run` has them too.
struct OutputOptions {
  std::string format = "auto";  // auto, table, jsonl or csv
  std::string output;           // file of rows; "-": stdout; empty: none. {run} stands for the run's id
  std::string report;           // file of the report; "-": stdout. {run} as above
  std::string progress = "auto";
  bool keep_order = false;
  std::string joblog;  // file; empty: none. {run} as above
  bool tag = false;    // lines of jobs' output begin with their input
  bool all = false;    // the table has every line
  Keep keep = Keep::kAll;
};

struct SinkOptions {
  CommonOptions common;
  OutputOptions output;
  std::vector<Endpoint> binds{*parse_endpoint("tcp://127.0.0.1:5558")};
  std::optional<std::uint16_t> data_port;  // default: the one after --bind's
  Duration wait = Duration::max();
  std::uint32_t keep_runs = kKeepRunsDefault;
  std::string run_id;  // as text; empty: the last unfinished one, until a ventilator wants another
  int parent = 0;      // the process to end with; 0: none
  // Of one that serves.
  bool serve = false;
  std::string run_ports = "5510-5549";
};

// Whether the output of jobs that are processes takes the place of rows.
inline bool passes_output(const OutputOptions& options) {
  return options.output.empty() && options.format == "auto";
}

// Whether a file's name depends on the run, and the options with its id, as text, in the names.
bool names_run(const OutputOptions& options);
OutputOptions with_run(OutputOptions options, const std::string& run);

void add_output_options(CLI::App& app, OutputOptions& options);
// Empty: they fit together. Else one sentence.
std::string check_output_options(const OutputOptions& options);

// Parses and runs; the process's exit code.
int sink_main(int argc, char** argv);

}  // namespace fantail
