#include "pipeline/app/arguments.h"

namespace fantail {

namespace {

void append_option(const CLI::Option& option, std::vector<std::string>& arguments) {
  const std::string name = "--" + option.get_lnames().front();
  const bool is_flag = option.get_expected_max() == 0;
  for (const std::string& value : option.results())
    arguments.push_back(is_flag && value == "true" ? name : std::string(name).append("=").append(value));
}

}  // namespace

std::vector<std::string> arguments_of_group(const CLI::App& app, const std::string& group) {
  std::vector<std::string> arguments;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == group && option->count() > 0) append_option(*option, arguments);
  }
  return arguments;
}

std::vector<std::string> arguments_of_subcommand(const CLI::App& subcommand) {
  std::vector<std::string> arguments{subcommand.get_name()};
  std::vector<std::string> positional;
  for (const CLI::Option* option : subcommand.get_options()) {
    if (option->count() == 0) continue;
    if (option->get_lnames().empty()) {
      positional.insert(positional.end(), option->results().begin(), option->results().end());
    } else {
      append_option(*option, arguments);
    }
  }
  if (!positional.empty()) arguments.emplace_back("--");
  arguments.insert(arguments.end(), positional.begin(), positional.end());
  return arguments;
}

}  // namespace fantail
