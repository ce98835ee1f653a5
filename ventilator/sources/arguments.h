// A source whose inputs are arguments that are combined: every argument of one list with every one of the
// others, the last list changing fastest, and linked lists advancing together up to the end of the shortest.
// The combinations are made as they are read, and so are the lines of the first list; those of the others are
// held in memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ventilator/sources/source.h"

namespace fantail {

struct ArgumentList {
  std::vector<std::string> words;   // the arguments …
  std::optional<std::string> path;  // … or the file whose lines they are; "-" is standard input
  const char* flag = ":::";         // as errors call it
  bool linked = false;              // to the list before
};

// An input is one argument of each list, with a tab between them. Requires: there is a list, and the first
// one is not linked.
std::variant<std::unique_ptr<Source>, SourceError> make_argument_source(std::vector<ArgumentList> lists,
                                                                        char delimiter);

}  // namespace fantail
