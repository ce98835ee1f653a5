// What processes wrote, passed on to this process's own standard output and error: job by job, the one stream
// and then the other, so that what two jobs wrote is never mixed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sink/outcome.h"
#include "sink/output_folder.h"

namespace fantail {

class ProcessOutput {
 public:
  struct Options {
    bool tag = false;  // every line begins with the job's arguments and a tab
    std::uint32_t arguments = 1;
    std::function<void()> before_write;  // may be empty
    int standard_output = 1;
    int standard_error = 2;
  };
  ProcessOutput(Options options, const OutputFolder& rest) : options_(std::move(options)), rest_(rest) {}

  // Says in place of the output why there is none, where the job failed and its process did not run to its
  // end. Requires: the job's process is settled in the folder.
  void show(const Outcome& outcome);
  // Writes what was shown. The first error, here or before.
  std::optional<std::string> flush();

 private:
  struct Chunk {
    Stream stream;
    std::string bytes;
  };

  void show_stream(const Outcome& outcome, Stream stream, std::string_view head, std::uint64_t bytes);
  void put(Stream stream, std::string_view bytes);
  void put_lines(Stream stream, std::string_view tag, std::string_view bytes);

  Options options_;
  const OutputFolder& rest_;
  std::vector<Chunk> chunks_;  // in order
  std::size_t pending_ = 0;    // bytes in them
  bool in_line_ = false;       // of the stream that is shown
  std::optional<std::string> error_;
};

}  // namespace fantail
