#include "sink/joblog.h"

#include <algorithm>
#include <cstdio>

#include "pipeline/exec_command.h"
#include "sink/kinds/payload.h"

namespace fantail {

void append_joblog(const proto::ExecSpec& spec, const Outcome& outcome, std::string& out) {
  if (outcome.attempt == 0) return;
  proto::ExecResult result;
  // A process that could not be started, or was not waited for, has no exit code.
  const bool ended = read_payload(outcome, result);
  const int exit_code = ended ? static_cast<int>(result.exit_code()) : -1;
  char numbers[256];
  std::snprintf(numbers, sizeof(numbers), "%.3f\t%10.3f\t0\t%llu\t%d\t%u\t",
                static_cast<double>(result.started_at_us()) / 1e6,
                static_cast<double>(outcome.duration_us) / 1e6,
                static_cast<unsigned long long>(result.stdout_bytes()), exit_code, result.signal());
  std::string command = shown_command(expand_command(spec, outcome.input, {outcome.job}));
  // As parallel does, so that a line is a job.
  std::replace(command.begin(), command.end(), '\n', '\0');
  out += std::to_string(outcome.job + 1);
  out.append("\t").append(outcome.worker).append("\t").append(numbers).append(command).append("\n");
}

}  // namespace fantail
