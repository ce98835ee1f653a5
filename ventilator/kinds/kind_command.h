// The command line of one kind of run: `files DIR`, `urls --input FILE`. It says where the inputs come from
// and what workers are told. One kind, one file, one line in kind_command.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kinds.pb.h"
#include "ventilator/host_queues.h"
#include "ventilator/sources/source.h"

namespace fantail {

// Inputs that need no reading: "0", "1", …, filled up with '.' to so many bytes.
struct GeneratedInputs {
  std::uint64_t count = 0;
  std::uint64_t payload_bytes = 0;
};

struct RunRequest {
  std::string kind;
  bool asynchronous = false;  // runs in async slots
  proto::KindSpec spec;
  std::unique_ptr<Source> source;
  std::vector<std::string> walked;           // the paths, where the source walks
  std::optional<GeneratedInputs> generated;  // instead of a source
  HostPolicy hosts;                          // limits only where inputs are URLs
  std::string command;                       // as people typed it, where that was elsewhere
};

class KindCommand {
 public:
  virtual ~KindCommand() = default;
  // The request, or one sentence: what is wrong and the way out.
  virtual std::variant<RunRequest, std::string> make_request() = 0;
  // What the command line asks for instead of a run: empty, or the exit code once it is done.
  virtual std::optional<int> act_instead(RunRequest&) { return std::nullopt; }
  proto::InputFormat input_format = proto::INPUT_PLAIN;  // as the run's flags say; set before make_request
  CLI::App* app = nullptr;
  CLI::Option* words = nullptr;  // takes the words of another command that follow the flags
};

// Adds the subcommand to parent; its flags may be followed by the parent's.
using AddKindCommand = std::unique_ptr<KindCommand> (*)(CLI::App& parent);
std::unique_ptr<KindCommand> add_files_command(CLI::App& parent);
std::unique_ptr<KindCommand> add_urls_command(CLI::App& parent);
std::unique_ptr<KindCommand> add_prices_command(CLI::App& parent);
std::unique_ptr<KindCommand> add_exec_command(CLI::App& parent);
std::unique_ptr<KindCommand> add_map_command(CLI::App& parent);
std::unique_ptr<KindCommand> add_echo_command(CLI::App& parent);

// What was typed at `fantail submit`; no kind of its own, and hidden.
std::unique_ptr<KindCommand> add_submitted_command(CLI::App& parent);

using KindCommands = std::vector<std::unique_ptr<KindCommand>>;
KindCommands add_kind_commands(CLI::App& parent);

// parse_command_line, which leaves the words of another command alone.
std::optional<int> parse_kind_command_line(CLI::App& app, const KindCommands& commands, int argc,
                                           char** argv);

}  // namespace fantail
