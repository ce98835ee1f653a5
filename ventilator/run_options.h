// The flags that say how a run goes, whatever its kind, and the policies that they make.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "pipeline/app/command_line.h"
#include "ventilator/dispatcher.h"
#include "ventilator/kinds/kind_command.h"

namespace fantail {

struct RunOptions {
  Duration deadline{0};
  Duration wait = Duration::max();
  Duration heartbeat = std::chrono::seconds(1);
  std::uint32_t deaths_max = 3;
  std::optional<proto::Halt> halt;
  std::uint64_t first = 0;  // so many ok outcomes; 0: not asked for
  bool job_lines = false;   // inputs are lines of JSON
  std::uint64_t max_running = 0;
  double rate = 0;
  std::uint32_t retries = 0;  // of one job
  BackoffPolicy backoff;
  Duration timeout{0};                // of one attempt; 0: none
  std::uint32_t timeout_percent = 0;  // instead, of the median so far
  std::optional<proto::HedgePolicy> hedge;
  std::uint32_t hedge_limit = 0;  // percent; 0: not chosen
};

// `fantail run` has them too.
void add_run_options(CLI::App& app, RunOptions& options);

// The command's request, whose inputs are read as the options say; or one sentence, what is wrong.
std::variant<RunRequest, std::string> make_request(KindCommand& command, const RunOptions& options);

DispatchPolicy make_dispatch_policy(const RunOptions& options, const RunRequest& request);
// What workers and sink are told.
proto::RunPolicy make_run_policy(const RunOptions& options);

}  // namespace fantail
