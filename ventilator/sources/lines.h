// A source whose inputs are the lines of a file, a pipe or standard input; streamed, so that a run over ten
// million lines starts at once. A line is at most 1 MiB long; empty ones are passed over unless asked for. It
// knows nothing of what the lines mean.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "ventilator/sources/source.h"

namespace fantail {

struct LineFormat {
  char delimiter = '\n';  // or '\0'
  bool trim =
      false;  // strips space, \t, \n, \v, \f and \r at both ends; without it every byte counts, \r too
  bool keeps_empty = false;      // an empty line is an input
  const char* flag = "--input";  // as errors call where the name comes from
};

// "-" is standard input.
std::variant<std::unique_ptr<Source>, SourceError> make_line_source(std::string path_or_dash,
                                                                    LineFormat format = {});

}  // namespace fantail
