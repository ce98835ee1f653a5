#include "worker/processors/map.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pipeline/json_line.h"
#include "pipeline/net/poller.h"
#include "pipeline/ulid.h"
#include "worker/child/child_stop.h"
#include "worker/child/environment.h"
#include "worker/child/function_process.h"
#include "worker/child/program_start.h"

namespace fantail {

namespace {

using End = FunctionAnswer::End;

constexpr std::size_t kShownBytes = 80;

std::string shown(const std::string& line) {
  return line.size() <= kShownBytes ? line : line.substr(0, kShownBytes) + "...";
}

class MapProcessor : public SyncProcessor {
 public:
  explicit MapProcessor(const proto::RunSpec& run)
      : spec_(run.kind().map()), grace_(grace_of(spec_.grace_us())), environment_(ulid_text(run.run_id())) {
    command_.assign(spec_.command().begin(), spec_.command().end());
  }

  JobResult process(const SyncJob& job, const StopToken& stop) override;

 private:
  // Empty: the function runs.
  std::optional<JobResult> start(std::uint32_t slot);
  JobResult result_of(const std::string& answer);
  // Of a job that was not answered. The next one has the function started anew.
  JobResult failure_of(const FunctionAnswer& answer);
  JobResult bad_answer(const std::string& what);
  JobResult crashed();
  void stop_function();

  proto::MapSpec spec_;
  Duration grace_;
  std::vector<std::string> command_;
  ProgramStart programs_;
  ChildEnvironment environment_;
  std::uint64_t starts_ = 0;
  std::unique_ptr<FunctionProcess> function_;
  proto::MapResult result_;  // kept for its memory
};

JobResult MapProcessor::process(const SyncJob& job, const StopToken& stop) {
  if (stop.stop_requested()) return JobResult::stopped(stop.reason());
  const Instant deadline = job.time_left ? steady_now() + *job.time_left : kNever;
  const auto question = json_of_input(job.input, spec_.arguments(), spec_.strings());
  if (!question)
    return JobResult::failed("bad_input", "the input is not UTF-8, and JSON can be nothing else");
  while (true) {
    if (!function_) {
      if (auto failure = start(job.slot)) return std::move(*failure);
    }
    const FunctionAnswer answer = function_->ask(*question, stop, deadline);
    if (answer.end == End::kAnswered) return result_of(answer.line);
    if (!answer.untouched) return failure_of(answer);
    // It had ended behind the last job: this one is not what it died of. A process that has never answered is
    // not untouched, so that one that always ends is not started for ever.
    function_.reset();
  }
}

std::optional<JobResult> MapProcessor::start(std::uint32_t slot) {
  if (command_.empty() || command_.front().empty())
    return JobResult::failed("bad_spec", "the run has no function");
  FunctionPipes pipes = FunctionPipes::open();
  if (!pipes.are_open()) return not_started(command_.front(), {}, errno);
  environment_.set_slot(slot, ++starts_);
  auto started = programs_.start(command_, {.environment = environment_.pointers(),
                                            .input = pipes.its_input.get(),
                                            .output = pipes.its_output.get(),
                                            .errors = pipes.its_errors.get()});
  if (JobResult* failure = std::get_if<JobResult>(&started)) return std::move(*failure);
  function_ = std::make_unique<FunctionProcess>(std::get<SpawnedChild>(std::move(started)), pipes,
                                                environment_.mark(), grace_);
  return std::nullopt;
}

JobResult MapProcessor::result_of(const std::string& answer) {
  auto value = compact_json(answer);
  if (!value)
    return bad_answer(answer.empty() ? "an empty line" : "a line that is not JSON: " + shown(answer));
  result_.set_json(std::move(*value));
  return JobResult::ok(result_.SerializeAsString());
}

JobResult MapProcessor::failure_of(const FunctionAnswer& answer) {
  switch (answer.end) {
    case End::kEnded:
      return crashed();
    case End::kStopped:
      stop_function();
      return JobResult::stopped(answer.stopped);
    case End::kTooLong:
      stop_function();
      return JobResult::failed("result_too_large", "the function's answer is longer than 16 MiB");
    case End::kUnreadInput:
      return bad_answer("a line before it had read its own");
    default:
      return bad_answer("more than one line for a job");
  }
}

// What it wrote is still on its way or of no use: only a new one answers the next job for sure.
JobResult MapProcessor::bad_answer(const std::string& what) {
  stop_function();
  return JobResult::failed(
      "bad_answer",
      "the function wrote " + what + "; it has to write one line of JSON for each line that it reads");
}

JobResult MapProcessor::crashed() {
  const std::string how = function_->end(Duration{0});
  const std::string last_line = function_->last_error_line();
  function_.reset();
  return JobResult::failed("crashed", (how.empty() ? "the function closed its standard output"
                                                   : "the function ended before it answered, " + how) +
                                          (last_line.empty() ? "" : ": " + last_line));
}

void MapProcessor::stop_function() {
  function_->end(Duration{0});
  function_.reset();
}

}  // namespace

std::unique_ptr<SyncProcessor> make_map_processor(const proto::RunSpec& run) {
  return std::make_unique<MapProcessor>(run);
}

}  // namespace fantail
