// A job as a line of JSON: its input, and what is asked for it alone.
//   {"input": "https://example.com/", "group": "example", "priority": 2, "timeout": "5s"}
// Everything but the input may be left out. The line is what is submitted, kept and sent on; each process
// reads of it what it needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "kinds.pb.h"
#include "pipeline/instant.h"

namespace fantail {

struct JobLine {
  std::string input;          // a value that is no string: its JSON text, without spaces
  std::string group;          // jobs with the same one belong together; empty: none was named
  std::int32_t priority = 0;  // jobs with a higher one go first
  Duration timeout{0};        // of one attempt; 0: what the run says
};

// Or one sentence: what is wrong and how it should look.
std::variant<JobLine, std::string> parse_job_line(std::string_view line);

// The line of an input for which nothing is asked.
std::string make_job_line(std::string_view input);

// What was submitted, read: in the plain format it is the input itself.
std::variant<JobLine, std::string> read_job(std::string_view submitted, proto::InputFormat format);

}  // namespace fantail
