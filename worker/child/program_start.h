// Starts programs by name, once for each job or once for many. Not for two threads at once.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "worker/child/program_path.h"
#include "worker/child/spawn.h"
#include "worker/processor.h"

namespace fantail {

class ProgramStart {
 public:
  // The program that the command begins with, or the failure that says why it did not begin: "not_found",
  // "not_executable", "arguments_too_long" or "cannot_start". A file that does not say what it is is a shell
  // script. Path and arguments of the request are filled in.
  std::variant<SpawnedChild, JobResult> start(std::vector<std::string>& command, SpawnRequest request);

 private:
  std::variant<SpawnedChild, int> spawn(const std::string& path, std::vector<std::string>& command,
                                        SpawnRequest request);

  ProgramPaths programs_;
  Spawner spawner_;
  std::vector<char*> arguments_;  // kept for its memory
};

// The failure of a program that did not begin. path: where it is; empty: that was not found.
JobResult not_started(const std::string& program, const std::string& path, int error);

// Why the program could not be begun here, without trying: a sentence, or empty.
std::string program_problem(const std::string& program);

}  // namespace fantail
