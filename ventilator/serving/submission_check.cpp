#include "ventilator/serving/submission_check.h"

#include <algorithm>
#include <vector>

#include "pipeline/job_ranges.h"
#include "ventilator/run_options.h"

namespace fantail {

namespace {

constexpr std::uint64_t kPayloadBytesMax = std::uint64_t{16} << 20;
constexpr std::uint64_t kDelayMaxUs = 3'600'000'000;

}  // namespace

std::string check_submission(const proto::SubmittedRun& run) {
  if (run.spec().kind_case() == proto::KindSpec::KIND_NOT_SET)
    return "the ventilator does not know this kind: install the same release on both";
  if (run.generated().count() >= kJobIdsMax || run.generated().payload_bytes() > kPayloadBytesMax)
    return "so many jobs cannot be numbered: submit fewer";
  if (run.delay_us() > kDelayMaxUs) return "--delay is at most an hour";
  CLI::App app("", "fantail submit");
  RunOptions options;
  add_run_options(app, options);
  std::vector<std::string> flags(run.run_flags().begin(), run.run_flags().end());
  std::reverse(flags.begin(), flags.end());
  try {
    app.parse(flags);
  } catch (const CLI::ParseError& error) {
    return std::string("a flag is not one of a run's: ") + error.what();
  }
  return {};
}

}  // namespace fantail
