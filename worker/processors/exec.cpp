#include "worker/processors/exec.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pipeline/app/file_descriptor.h"
#include "pipeline/exec_command.h"
#include "pipeline/net/poller.h"
#include "pipeline/ulid.h"
#include "worker/child/child_run.h"
#include "worker/child/program_path.h"

namespace fantail {

namespace {

constexpr Duration kDefaultGrace = std::chrono::seconds(2);
constexpr char kShell[] = "/bin/sh";

std::uint64_t wall_clock_us() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
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

class ExecProcessor : public SyncProcessor {
 public:
  explicit ExecProcessor(const proto::RunSpec& run)
      : spec_(run.kind().exec()), environment_(ulid_text(run.run_id())), buffer_(CapturedStream::kHeadBytes) {
    if (spec_.grace_us() != 0) grace_ = Duration(static_cast<Duration::rep>(spec_.grace_us()));
  }

  JobResult process(const SyncJob& job, const StopToken& stop) override;

 private:
  std::variant<SpawnedChild, JobResult> start(std::vector<std::string>& command);
  std::variant<SpawnedChild, int> spawn(const std::string& path, std::vector<std::string>& command,
                                        const SpawnRequest& request);
  JobResult answer(const ChildEnd& end);

  proto::ExecSpec spec_;
  Duration grace_ = kDefaultGrace;
  ProgramPaths programs_;
  ChildEnvironment environment_;
  Spawner spawner_;
  ChildOutput output_;
  // Kept for their memory.
  std::vector<char> buffer_;
  std::vector<char*> arguments_;
  proto::ExecResult result_;
};

JobResult ExecProcessor::process(const SyncJob& job, const StopToken& stop) {
  if (stop.stop_requested()) return JobResult::stopped(stop.reason());
  const Instant deadline = job.time_left ? steady_now() + *job.time_left : kNever;
  std::vector<std::string> command = expand_command(spec_, job.input, {job.id, job.slot});
  if (command.empty()) return JobResult::failed("bad_spec", "the run has no command");
  for (const std::string& argument : command) {
    if (argument.find('\0') != std::string::npos)
      return JobResult::failed("bad_input", "an argument has a NUL byte");
  }
  environment_.set_job(job.id, job.attempt);
  output_.rest = spec_.whole_output() ? job.output : nullptr;
  result_.Clear();
  result_.set_started_at_us(wall_clock_us());
  std::variant<SpawnedChild, JobResult> started = start(command);
  if (JobResult* failure = std::get_if<JobResult>(&started)) return std::move(*failure);
  ChildRun run(std::get<SpawnedChild>(std::move(started)), output_, environment_.mark(), buffer_);
  return answer(run.wait(stop, {grace_, deadline}));
}

std::variant<SpawnedChild, JobResult> ExecProcessor::start(std::vector<std::string>& command) {
  const std::string program = command.front();
  const FileDescriptor output = output_.output.begin(output_.rest);
  const FileDescriptor errors = output_.errors.begin(output_.rest);
  if (!output.is_open() || !errors.is_open()) return not_started(program, {}, errno);
  const SpawnRequest request{nullptr, nullptr, environment_.pointers(), output.get(), errors.get()};
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

// A file that does not say what it is is a shell script.
std::variant<SpawnedChild, int> ExecProcessor::spawn(const std::string& path,
                                                     std::vector<std::string>& command,
                                                     const SpawnRequest& request) {
  SpawnRequest whole = request;
  whole.path = path.c_str();
  arguments_.clear();
  for (std::string& argument : command)
    arguments_.push_back(argument.data());
  arguments_.push_back(nullptr);
  whole.arguments = arguments_.data();
  std::variant<SpawnedChild, int> child = spawner_.spawn(whole);
  const int* error = std::get_if<int>(&child);
  if (error == nullptr || *error != ENOEXEC) return child;
  std::string shell = kShell;
  std::string script = path;
  arguments_.front() = script.data();
  arguments_.insert(arguments_.begin(), shell.data());
  whole.path = kShell;
  whole.arguments = arguments_.data();
  return spawner_.spawn(whole);
}

JobResult ExecProcessor::answer(const ChildEnd& end) {
  result_.set_stdout_head(output_.output.head().data(), output_.output.head().size());
  result_.set_stderr_head(output_.errors.head().data(), output_.errors.head().size());
  result_.set_stdout_bytes(output_.output.bytes());
  result_.set_stderr_bytes(output_.errors.bytes());
  const bool was_killed = WIFSIGNALED(end.wait_status);
  const int code = was_killed ? WTERMSIG(end.wait_status) : WEXITSTATUS(end.wait_status);
  if (was_killed) {
    result_.set_signal(static_cast<std::uint32_t>(code));
  } else {
    result_.set_exit_code(static_cast<std::uint32_t>(code));
  }
  std::string payload = result_.SerializeAsString();
  if (end.stopped != StopReason::kNone) {
    JobResult stopped = JobResult::stopped(end.stopped);
    stopped.payload = std::move(payload);
    return stopped;
  }
  if (was_killed) return JobResult::failed("signal", "killed by " + signal_name(code), std::move(payload));
  if (code != 0) return JobResult::failed("exit", "exit code " + std::to_string(code), std::move(payload));
  return JobResult::ok(std::move(payload));
}

}  // namespace

std::unique_ptr<SyncProcessor> make_exec_processor(const proto::RunSpec& run) {
  return std::make_unique<ExecProcessor>(run);
}

}  // namespace fantail
