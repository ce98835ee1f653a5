#include "worker/child/program_start.h"

#include <unistd.h>

#include <cerrno>

namespace fantail {

namespace {

constexpr char kShell[] = "/bin/sh";

}  // namespace

std::variant<SpawnedChild, JobResult> ProgramStart::start(std::vector<std::string>& command,
                                                          SpawnRequest request) {
  const std::string program = command.front();
  for (bool looked_again = false;; looked_again = true) {
    const ProgramPath found = programs_.find(program);
    if (found.error != 0) return not_started(program, {}, found.error);
    std::variant<SpawnedChild, int> child = spawn(found.path, command, request);
    if (SpawnedChild* started = std::get_if<SpawnedChild>(&child)) return std::move(*started);
    const int error = std::get<int>(child);
    if (error != ENOENT || looked_again) return not_started(program, found.path, error);
    programs_.forget(program);
  }
}

std::variant<SpawnedChild, int> ProgramStart::spawn(const std::string& path,
                                                    std::vector<std::string>& command, SpawnRequest request) {
  request.path = path.c_str();
  arguments_.clear();
  for (std::string& argument : command)
    arguments_.push_back(argument.data());
  arguments_.push_back(nullptr);
  request.arguments = arguments_.data();
  std::variant<SpawnedChild, int> child = spawner_.spawn(request);
  const int* error = std::get_if<int>(&child);
  if (error == nullptr || *error != ENOEXEC) return child;
  std::string shell = kShell;
  std::string script = path;
  arguments_.front() = script.data();
  arguments_.insert(arguments_.begin(), shell.data());
  request.path = kShell;
  request.arguments = arguments_.data();
  return spawner_.spawn(request);
}

JobResult not_started(const std::string& program, const std::string& path, int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      if (!path.empty() && ::access(path.c_str(), F_OK) == 0)
        return JobResult::failed("not_found", "the interpreter that " + program + " names is missing");
      return JobResult::failed("not_found", "command not found: " + program);
    case EACCES:
    case EPERM:
      return JobResult::failed("not_executable", "not executable: " + program);
    case E2BIG:
      return JobResult::failed("arguments_too_long", "the arguments are longer than the system takes");
    default:
      return JobResult::failed("cannot_start", "cannot start " + program + ": " + error_text(error));
  }
}

std::string program_problem(const std::string& program) {
  const ProgramPath found = ProgramPaths().find(program);
  const int error = found.error != 0 ? found.error : program_error(found.path);
  return error == 0 ? std::string() : not_started(program, {}, error).error_message;
}

}  // namespace fantail
