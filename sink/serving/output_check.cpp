#include "sink/serving/output_check.h"

#include <algorithm>
#include <vector>

#include "sink/options.h"

namespace fantail {

std::string check_submitted_output(const google::protobuf::RepeatedPtrField<std::string>& flags) {
  CLI::App app("", "fantail submit");
  OutputOptions options;
  add_output_options(app, options);
  std::vector<std::string> words(flags.begin(), flags.end());
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return std::string("a flag is not one of a run's output: ") + error.what();
  }
  if (!options.output.empty() || !options.report.empty() || !options.joblog.empty())
    return "the files of a run that is submitted are named where its sink is started, with {run} for the "
           "run: "
           "leave --output, --report and --joblog out";
  return check_output_options(options);
}

}  // namespace fantail
