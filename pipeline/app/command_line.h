// What all executables share on their command lines: help, version, log level, FANTAIL_* variables, exit
// codes.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/endpoint.h"
#include "pipeline/instant.h"

namespace fantail {

inline constexpr int kExitUsage = 2;
inline constexpr int kExitInfrastructure = 3;
inline constexpr int kExitNoPeer = 5;
inline constexpr int kExitSuspended = 143;
inline constexpr const char* kVersion = "0.1.0";

struct CommonOptions {
  std::string log_level = "info";
  std::string state_dir;  // default: XDG_STATE_HOME/fantail/ROLE
  bool insecure = false;
};

void add_common_options(CLI::App& app, CommonOptions& options);

// Every option of the app and its subcommands may be set as FANTAIL_NAME; the flag wins.
void allow_environment(CLI::App& app);

// Parses; empty: go on. Else the exit code, everything having been said.
std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv);

// Prints one sentence to stderr as `program: sentence` and returns the code.
int complain(const std::string& program, const std::string& sentence, int code = kExitUsage);

CLI::Option* add_duration(CLI::App& app, const std::string& name, Duration& value, const std::string& help);
CLI::Option* add_byte_size(CLI::App& app, const std::string& name, std::uint64_t& value,
                           const std::string& help);
CLI::Option* add_endpoint(CLI::App& app, const std::string& name, std::vector<Endpoint>& value,
                          const std::string& help);
CLI::Option* add_endpoint(CLI::App& app, const std::string& name, std::optional<Endpoint>& value,
                          const std::string& help);

// Without keys only addresses that nothing outside this machine reaches are allowed. Empty: fine.
std::string refuse_insecure(const Endpoint& endpoint, bool insecure);

// XDG_STATE_HOME/fantail/ROLE; `chosen` wins.
std::string state_dir_path(const std::string& chosen, const std::string& role);
// The same, made if need be. Empty on failure, with the reason in error.
std::string make_state_dir(const std::string& chosen, const std::string& role, std::string& error);

// host-pid: how rows and logs name this process.
std::string process_name();

}  // namespace fantail
