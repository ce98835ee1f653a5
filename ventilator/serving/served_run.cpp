#include "ventilator/serving/served_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "pipeline/app/free_port.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/app/run_lock.h"
#include "pipeline/net/poller.h"
#include "pipeline/ulid.h"

namespace fantail {

namespace {

constexpr Duration kAskSinkEvery = std::chrono::seconds(1);
constexpr Duration kAskSinkFirst = std::chrono::milliseconds(200);
constexpr Duration kLookAgain = std::chrono::milliseconds(50);
// Who submits says something every second.
constexpr Duration kSubmitterSilent = std::chrono::seconds(5);
// A ventilator follows its sink at once; one whose sink never began would wait for it.
constexpr Duration kVentilatorFollows = std::chrono::seconds(4);

}  // namespace

ServedRun::ServedRun(const ServedSetting& setting, std::string run_id, SubmissionFolder folder,
                     bool recovered, Instant now)
    : setting_(setting),
      id_(std::move(run_id)),
      text_(ulid_text(id_)),
      folder_(std::move(folder)),
      heard_(now) {
  if (!recovered) interrupts_ = 0;
  started_ = recovered;
}

void ServedRun::open(std::uint32_t port) {
  opened_ = true;
  port_ = port;
  if (submitted().port() != port) complain_once(folder_.record_port(port));
  changed_ = true;
}

void ServedRun::on_submission(const proto::Submission& message, Instant now) {
  heard_ = now;
  left_ = left_ || message.leaving();
  if (over()) return;
  complain_once(folder_.append(message.offset(), message.inputs()));
  if (message.has_end()) complain_once(folder_.end(message.end()));
  if (!interrupts_) interrupts_ = interrupts_passed_ = message.interrupts();  // a former life passed them on
  interrupts_ = std::max(*interrupts_, message.interrupts());
  if (*interrupts_ > 0 && !started_) end(130, "interrupted before the run began");
}

// One by one, and not before the process can take them: until then an interrupt would end it without a word.
void ServedRun::pass_interrupts(Instant now) {
  if (!interrupts_ || interrupts_passed_ >= *interrupts_ || !ventilator_.running() || now < interrupt_at_)
    return;
  interrupt_at_ = now + kLookAgain;
  if (lock_holder(run_folder_path(setting_.state_dir, text_)) != ventilator_.pid()) return;
  ventilator_.signal(SIGINT);
  ++interrupts_passed_;
}

void ServedRun::on_sink(const proto::FromServingSink& answer, Instant now) {
  if (answer.has_piece()) return;
  if (!answer.refusal().empty() && !over() && !ventilator_.running()) {
    end(kExitUsage, answer.refusal());
    sink_opened_ = false;
    return;
  }
  if (answer.port() != 0 && answer.port() != sink_port_) {
    // It moved: its run goes on from what both have kept.
    if (sink_port_ != 0) ventilator_.signal(SIGTERM);
    sink_port_ = answer.port();
    changed_ = true;
  }
  sink_tcp_port_ = answer.tcp_port();
  if (answer.ended() && !sink_ended_ && !over())
    kill_at_ = ventilator_.running() ? now + kVentilatorFollows : now;
  sink_ended_ = answer.ended();
  sink_exit_code_ = answer.exit_code();
}

std::optional<proto::ToServingSink> ServedRun::to_sink(Instant now) {
  const bool closes = over() && sink_in_use();
  if ((!open() && !closes) || now < ask_sink_at_) return std::nullopt;
  ask_sink_at_ = now + (sink_port_ == 0 ? kAskSinkFirst : kAskSinkEvery);
  proto::ToServingSink message;
  message.set_run_id(id_);
  if (closes) {
    message.mutable_close();
    return message;
  }
  sink_opened_ = true;
  *message.mutable_open()->mutable_output_flags() = submitted().output_flags();
  message.mutable_open()->set_columns(submitted().columns());
  return message;
}

proto::SubmissionState ServedRun::state() const {
  proto::SubmissionState state;
  state.set_run_id(id_);
  state.set_received(folder_.received());
  state.set_sink_endpoint(setting_.options.sink->text());
  state.set_sink_tcp_port(sink_tcp_port_);
  if (!over()) return state;
  state.set_over(true);
  state.set_exit_code(folder_.outcome()->exit_code());
  state.set_refusal(folder_.outcome()->refusal());
  return state;
}

bool ServedRun::tend(Instant now) {
  if (const auto status = ventilator_.reap()) on_exit(*status, now);
  pass_interrupts(now);
  if (kill_at_ && now >= *kill_at_) {
    kill_at_.reset();
    if (!over()) end(static_cast<int>(sink_exit_code_));
    ventilator_.signal(SIGKILL);
  }
  if (!over() && !folder_.complete() && !submitted().has_generated() && now >= heard_ + kSubmitterSilent) {
    proto::InputsEnd nobody;
    nobody.set_bytes(folder_.received());
    nobody.set_error("whoever submitted the run went away before all of its inputs had come: submit it anew");
    setting_.log->warn("run {}: {}", text_, nobody.error());
    complain_once(folder_.end(nobody));
    heard_ = now;
  }
  if (open() && !suspended && sink_port_ != 0 && !ventilator_.running() && !sink_ended_ && now >= start_at_)
    start(now);
  return std::exchange(changed_, false);
}

Instant ServedRun::next_wake() const {
  Instant wake = kNever;
  if (open() || (over() && sink_in_use())) wake = std::min(wake, ask_sink_at_);
  if (kill_at_) wake = std::min(wake, *kill_at_);
  if (interrupts_.value_or(0) > interrupts_passed_ && ventilator_.running())
    wake = std::min(wake, interrupt_at_);
  if (open() && !suspended && sink_port_ != 0 && !ventilator_.running() && !sink_ended_)
    wake = std::min(wake, start_at_);
  if (!over() && !folder_.complete() && !submitted().has_generated())
    wake = std::min(wake, heard_ + kSubmitterSilent);
  return wake;
}

ChildProgram ServedRun::program() const {
  const VentilatorOptions& options = setting_.options;
  ChildProgram program{.executable = role_executable("ventilator"), .name = "fantail-ventilator"};
  std::vector<std::string>& arguments = program.arguments;
  for (const Endpoint& bind : setting_.binds)
    arguments.push_back("--bind=" + bind.with_port(port_).text());
  arguments.push_back("--sink=" + options.sink->with_port(sink_port_).text());
  arguments.push_back("--worker-ports=" + options.worker_ports);
  arguments.push_back("--keep-runs=" + std::to_string(options.keep_runs));
  arguments.push_back("--run=" + text_);
  arguments.push_back("--state-dir=" + setting_.state_dir);
  arguments.push_back("--log-level=" + options.common.log_level);
  arguments.push_back("--parent=" + std::to_string(getpid()));
  if (options.common.insecure) arguments.emplace_back("--insecure");
  // What this process was told by the environment is not for its children.
  program.environment.emplace_back("FANTAIL_SERVE=false");
  arguments.insert(arguments.end(), submitted().run_flags().begin(), submitted().run_flags().end());
  arguments.insert(arguments.end(), {"submitted", "--", folder_.path()});
  return program;
}

void ServedRun::start(Instant now) {
  // One of a former life may be about to end with that.
  if (lock_holder(run_folder_path(setting_.state_dir, text_))) {
    start_at_ = now + kLookAgain;
    return;
  }
  const auto error = ventilator_.start(program(), now);
  if (error) return end(kExitInfrastructure, *error);
  started_ = true;
  setting_.log->info("run {}: started its ventilator on port {}", text_, port_);
  changed_ = true;
}

void ServedRun::on_exit(int status, Instant now) {
  kill_at_.reset();
  changed_ = true;
  if (over() || suspended) return;
  const bool exited = WIFEXITED(status);
  const bool lost_port =
      exited && WEXITSTATUS(status) == kExitInfrastructure && !is_port_free(setting_.binds.front(), port_);
  if (lost_port) {
    // Somebody else took it just before: it gets another one.
    opened_ = false;
    return;
  }
  if (exited && WEXITSTATUS(status) != kExitSuspended) return end(WEXITSTATUS(status));
  start_at_ = ventilator_.restart_at(now);
  setting_.log->warn("run {}: its ventilator ended with {}: starting it again", text_, describe_end(status));
}

void ServedRun::end(int exit_code, const std::string& refusal) {
  proto::RunOutcome outcome;
  outcome.set_exit_code(static_cast<std::uint32_t>(exit_code));
  outcome.set_refusal(refusal);
  complain_once(folder_.record_outcome(outcome));
  setting_.log->info("run {}: over with exit code {}{}{}", text_, exit_code, refusal.empty() ? "" : ": ",
                     refusal);
  ask_sink_at_ = Instant{};
  changed_ = true;
}

void ServedRun::forget() {
  forgotten_ = true;
  folder_.remove();
}

void ServedRun::complain_once(const std::optional<std::string>& error) {
  if (!error || *error == complaint_) return;
  complaint_ = *error;
  setting_.log->error("run {}: {}", text_, *error);
}

}  // namespace fantail
