// The words of an exec run, CMD … ::: ARGUMENT …, read as GNU parallel reads them. Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "ventilator/sources/arguments.h"

namespace fantail {

struct ExecWords {
  std::vector<std::string> command;  // empty: every job's argument is its command
  std::vector<ArgumentList> lists;   // files of --input, then those among the words
};

// Errors are sentences.
std::variant<ExecWords, std::string> read_exec_words(const std::vector<std::string>& words,
                                                     const std::vector<std::string>& input_files);

}  // namespace fantail
