#include "worker/processors/exec.h"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
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
#include "worker/child/program_start.h"

namespace fantail {

namespace {

std::uint64_t wall_clock_us() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

class ExecProcessor : public SyncProcessor {
 public:
  explicit ExecProcessor(const proto::RunSpec& run)
      : spec_(run.kind().exec()),
        grace_(grace_of(spec_.grace_us())),
        environment_(ulid_text(run.run_id())),
        buffer_(CapturedStream::kHeadBytes) {}

  JobResult process(const SyncJob& job, const StopToken& stop) override;

 private:
  std::variant<SpawnedChild, JobResult> start(std::vector<std::string>& command);
  JobResult answer(const ChildEnd& end);

  proto::ExecSpec spec_;
  Duration grace_;
  ChildEnvironment environment_;
  ProgramStart programs_;
  ChildOutput output_;
  // Kept for their memory.
  std::vector<char> buffer_;
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
  const FileDescriptor output = output_.output.begin(output_.rest);
  const FileDescriptor errors = output_.errors.begin(output_.rest);
  if (!output.is_open() || !errors.is_open()) return not_started(command.front(), {}, errno);
  return programs_.start(
      command, {.environment = environment_.pointers(), .output = output.get(), .errors = errors.get()});
}

JobResult ExecProcessor::answer(const ChildEnd& end) {
  result_.set_stdout_head(output_.output.head().data(), output_.output.head().size());
  result_.set_stderr_head(output_.errors.head().data(), output_.errors.head().size());
  result_.set_stdout_bytes(output_.output.bytes());
  result_.set_stderr_bytes(output_.errors.bytes());
  const bool was_killed = WIFSIGNALED(end.wait_status);
  if (was_killed) {
    result_.set_signal(static_cast<std::uint32_t>(WTERMSIG(end.wait_status)));
  } else {
    result_.set_exit_code(static_cast<std::uint32_t>(WEXITSTATUS(end.wait_status)));
  }
  std::string payload = result_.SerializeAsString();
  if (end.stopped != StopReason::kNone) {
    JobResult stopped = JobResult::stopped(end.stopped);
    stopped.payload = std::move(payload);
    return stopped;
  }
  if (end.wait_status != 0) {
    return JobResult::failed(was_killed ? "signal" : "exit", shown_wait_status(end.wait_status),
                             std::move(payload));
  }
  return JobResult::ok(std::move(payload));
}

}  // namespace

std::unique_ptr<SyncProcessor> make_exec_processor(const proto::RunSpec& run) {
  return std::make_unique<ExecProcessor>(run);
}

}  // namespace fantail
