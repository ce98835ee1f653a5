#include "pipeline/app/command_line.h"

#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "pipeline/byte_size.h"
#include "pipeline/duration.h"

namespace fantail {

void add_common_options(CLI::App& app, CommonOptions& options) {
  app.add_option("--state-dir", options.state_dir,
                 "Where this role keeps its files [XDG_STATE_HOME/fantail/ROLE]")
      ->group("Process");
  app.add_option("--log-level", options.log_level, "debug, info, warn, error or off")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str()
      ->group("Process");
  app.add_flag("--insecure", options.insecure, "Allow addresses beyond this machine, without keys")
      ->group("Process");
}

void allow_environment(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || !option->get_envname().empty()) continue;
    std::string name = option->get_lnames().front();
    if (name == "help" || name == "version" || name == "help-all") continue;
    for (char& character : name) {
      character =
          character == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
    }
    option->envname("FANTAIL_" + name);
  }
  for (CLI::App* subcommand : app.get_subcommands([](const CLI::App*) { return true; }))
    allow_environment(*subcommand);
}

namespace {

// A word that is no subcommand is what people mistyped; without one they forgot it.
std::string missing_subcommand(const CLI::App& app) {
  std::string names;
  for (const CLI::App* subcommand :
       app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); })) {
    names += (names.empty() ? "" : ", ") + subcommand->get_name();
  }
  const std::vector<std::string> rest = app.remaining();
  if (rest.empty()) return "say what to run, one of " + names + " (see " + app.get_name() + " --help)";
  return "there is no kind \"" + rest.front() + "\", use one of " + names + " (see " + app.get_name() +
         " --help)";
}

}  // namespace

std::optional<int> parse_command_line(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::RequiredError& error) {
    if (app.get_require_subcommand_min() == 0 || !app.get_subcommands().empty()) {
      return complain(app.get_name(), std::string(error.what()) + " (see " + app.get_name() + " --help)");
    }
    return complain(app.get_name(), missing_subcommand(app));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help or version
    std::string sentence = error.what();
    for (char& character : sentence) {
      if (character == '\n') character = ' ';
    }
    return complain(app.get_name(), sentence + " (see " + app.get_name() + " --help)");
  }
}

int complain(const std::string& program, const std::string& sentence, int code) {
  std::cerr << program << ": " << sentence << '\n';
  return code;
}

CLI::Option* add_duration(CLI::App& app, const std::string& name, Duration& value, const std::string& help) {
  return app
      .add_option_function<std::string>(
          name,
          [&value, name](const std::string& text) {
            const auto parsed = parse_duration(text);
            if (!parsed)
              throw CLI::ValidationError(name, "\"" + text + "\" is no duration: write 500ms, 10s or 1m30s");
            value = *parsed;
          },
          help)
      ->type_name("DURATION");
}

CLI::Option* add_byte_size(CLI::App& app, const std::string& name, std::uint64_t& value,
                           const std::string& help) {
  return app
      .add_option_function<std::string>(
          name,
          [&value, name](const std::string& text) {
            const auto parsed = parse_byte_size(text);
            if (!parsed)
              throw CLI::ValidationError(name, "\"" + text + "\" is no size: write 512, 64K or 10MiB");
            value = *parsed;
          },
          help)
      ->type_name("SIZE");
}

namespace {

Endpoint endpoint_or_throw(const std::string& name, const std::string& text) {
  const std::optional<Endpoint> endpoint = parse_endpoint(text);
  if (!endpoint) {
    throw CLI::ValidationError(name, "\"" + text + "\" is no endpoint: write tcp://host:port or ipc://path");
  }
  return *endpoint;
}

}  // namespace

CLI::Option* add_endpoint(CLI::App& app, const std::string& name, std::vector<Endpoint>& value,
                          const std::string& help) {
  return app
      .add_option_function<std::vector<std::string>>(
          name,
          [&value, name](const std::vector<std::string>& texts) {
            value.clear();
            for (const std::string& text : texts)
              value.push_back(endpoint_or_throw(name, text));
          },
          help)
      ->allow_extra_args(false)
      ->type_name("ENDPOINT");
}

CLI::Option* add_endpoint(CLI::App& app, const std::string& name, std::optional<Endpoint>& value,
                          const std::string& help) {
  return app
      .add_option_function<std::string>(
          name, [&value, name](const std::string& text) { value = endpoint_or_throw(name, text); }, help)
      ->type_name("ENDPOINT");
}

std::string refuse_insecure(const Endpoint& endpoint, bool insecure) {
  if (insecure || endpoint.is_local()) return {};
  return endpoint.text() +
         " can be reached from other machines and nothing is encrypted or authenticated: add --insecure "
         "on a network you trust, or use tcp://127.0.0.1 or ipc://";
}

std::string state_dir_path(const std::string& chosen, const std::string& role) {
  if (!chosen.empty()) return chosen;
  const char* state_home = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path path;
  if (state_home != nullptr && *state_home != '\0') {
    path = state_home;
  } else if (home != nullptr && *home != '\0') {
    path = std::filesystem::path(home) / ".local" / "state";
  } else {
    path = "/tmp/fantail-state-" + std::to_string(getuid());
  }
  return (path / "fantail" / role).string();
}

std::string make_state_dir(const std::string& chosen, const std::string& role, std::string& error) {
  std::string path = state_dir_path(chosen, role);
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) {
    error =
        "cannot make --state-dir " + path + ": " + failure.message() + "; choose another with --state-dir";
    return {};
  }
  return path;
}

std::string process_name() {
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  return std::string(host) + "-" + std::to_string(getpid());
}

}  // namespace fantail
