// Finds programs by name as execvp does, but before the fork and once for all jobs.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace fantail {

// Where a program is, or the errno that says why there is none.
struct ProgramPath {
  std::string path;
  int error = 0;
};

class ProgramPaths {
 public:
  // What does not name a folder is looked for in those of PATH.
  ProgramPath find(const std::string& name);
  void forget(const std::string& name) { known_.erase(name); }  // it is no longer there

 private:
  std::unordered_map<std::string, std::string> known_;
};

// 0, or the errno that says why it is no program.
int program_error(const std::string& path);

// In folders, separated by colons.
ProgramPath find_program(std::string_view name, std::string_view folders);

}  // namespace fantail
