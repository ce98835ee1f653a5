// Turns parsed options back into arguments, so that a flag that `fantail run` took can be given to the role
// it belongs to.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace fantail {

// The options of the group that were given, as --name=value.
std::vector<std::string> arguments_of_group(const CLI::App& app, const std::string& group);
// The subcommand's name, its options and its positional arguments.
std::vector<std::string> arguments_of_subcommand(const CLI::App& subcommand);

}  // namespace fantail
