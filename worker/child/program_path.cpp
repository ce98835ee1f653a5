#include "worker/child/program_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace fantail {

namespace {

// Where each job has a command of its own.
constexpr std::size_t kKnownMax = 1000;
constexpr const char* kFoldersWithoutPath = "/bin:/usr/bin";

}  // namespace

int program_error(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno;
  return S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0 ? 0 : EACCES;
}

ProgramPath find_program(std::string_view name, std::string_view folders) {
  if (name.empty()) return {{}, ENOENT};
  if (name.find('/') != std::string_view::npos) return {std::string(name), 0};
  int error = ENOENT;
  while (true) {
    const std::size_t end = folders.find(':');
    std::string path(folders.substr(0, end));
    path += path.empty() ? "./" : "/";
    path += name;
    const int found = program_error(path);
    if (found == 0) return {std::move(path), 0};
    if (found == EACCES) error = EACCES;
    if (end == std::string_view::npos) return {{}, error};
    folders.remove_prefix(end + 1);
  }
}

ProgramPath ProgramPaths::find(const std::string& name) {
  const auto known = known_.find(name);
  if (known != known_.end()) return {known->second, 0};
  const char* folders = std::getenv("PATH");
  ProgramPath found = find_program(name, folders != nullptr ? folders : kFoldersWithoutPath);
  if (found.error != 0) return found;
  if (known_.size() >= kKnownMax) known_.clear();
  known_[name] = found.path;
  return found;
}

}  // namespace fantail
