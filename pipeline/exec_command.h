// The command line of a job that is a process: what the run's command is with the job's arguments put in. The
// replacement strings are those of GNU parallel: {} {.} {/} {//} {/.} for every argument, {1} {1.} {-1} … for
// one of them, {#} and {%}. A command without any has its arguments at its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kinds.pb.h"
#include "pipeline/range_set.h"

namespace fantail {

// A result carries so much of each stream; what a process writes beyond it travels on its own.
inline constexpr std::size_t kOutputHeadBytes = std::size_t{64} << 10;

struct ExecPlace {
  JobId job = 0;           // {#} counts from 1
  std::uint32_t slot = 1;  // {%}
};

// argv of the job's process; with a shell command: {"/bin/sh", "-c", text}. Without any command the arguments
// are the shell's. {} in the midst of a word of a command that has several arguments ends the word behind
// each but the last one, as the space that stands between them would in a shell.
std::vector<std::string> expand_command(const proto::ExecSpec& spec, std::string_view input, ExecPlace place);

// The highest number of an argument that the command names: 2 for {1} {2.}.
std::uint64_t arguments_named(const proto::ExecSpec& spec);

// One argument as a shell takes it, quoted where it has to be.
std::string shell_quoted(std::string_view argument);
// A command line that a shell would run as this; of a shell's command it is the command.
std::string shown_command(const std::vector<std::string>& argv);

// Joins a job's arguments to its input, and shows an input of so many arguments with spaces between them.
std::string join_arguments(const std::vector<std::string>& arguments);
std::string shown_arguments(std::string_view input, std::uint32_t arguments);

}  // namespace fantail
