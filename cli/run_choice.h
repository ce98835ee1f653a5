// Which run `fantail run` works on: a new one, an unfinished one with --resume, or one over the jobs that
// another run did not bring to a good end, with --retry-failed.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "pipeline/app/command_line.h"
#include "ventilator/options.h"

namespace fantail {

struct RunChoiceOptions {
  std::string resume;
  std::string retry_failed;
};

void add_run_choice_options(CLI::App& app, RunChoiceOptions& options);

struct Refusal {
  std::string reason;
  int code = kExitUsage;  // 0: there is nothing to do
};

// The run's id, as text. Says on stderr what people should know of it.
std::variant<std::string, Refusal> choose_run(const CLI::App& app, const CLI::App& kind,
                                              const CommonOptions& common, const RunChoiceOptions& options,
                                              const proto::KindSpec& spec);

}  // namespace fantail
