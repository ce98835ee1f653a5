// Command lines that end with another command's: `fantail run exec -k -- echo -n {} ::: a b`. Its words are
// nobody's flags, and CLI11, which reads "[a,b]" and "%%" in its own way, does not get to see them.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

namespace fantail {

struct WordsPlace {
  int flags_end = 0;  // arguments from here on are not the app's
  int begin = 0;      // the first word; one behind flags_end where `--` stands between
};

// Where the words of the subcommand begin: behind the first `--`, or with the first argument behind its name
// that is neither a flag nor a flag's value. Empty: there are none, or another subcommand was chosen.
std::optional<WordsPlace> find_words(const CLI::App& app, const CLI::App& subcommand, int argc,
                                     const char* const* argv);

}  // namespace fantail
