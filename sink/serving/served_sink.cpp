#include "sink/serving/served_sink.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "pipeline/app/durable.h"
#include "pipeline/app/free_port.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/app/run_lock.h"
#include "pipeline/app/served_folders.h"

namespace fantail {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
constexpr std::uint32_t kColumnsMax = 1000;
constexpr Duration kLeavesWithin = std::chrono::seconds(3);
constexpr Duration kLookForLock = std::chrono::milliseconds(50);

std::string read_whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string read_piece(const FileDescriptor& file, std::uint64_t offset) {
  std::string piece(kPieceBytes, '\0');
  const ssize_t count = pread(file.get(), piece.data(), piece.size(), static_cast<off_t>(offset));
  piece.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return piece;
}

}  // namespace

ServedSink::ServedSink(const ServedSinkSetting& setting, std::string run, proto::ServedSinkRequest request)
    : setting_(&setting),
      run_(std::move(run)),
      folder_(served_folder_path(setting.state_dir, run_)),
      request_(std::move(request)),
      stdout_(open_private_file(folder_ + "/stdout", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC)),
      stderr_(open_private_file(folder_ + "/stderr", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC)) {
  const std::string ended = read_whole_file(folder_ + "/ended");
  if (!ended.empty()) exit_code_ = std::atoi(ended.c_str());
}

std::variant<ServedSink, std::string> ServedSink::create(const ServedSinkSetting& setting,
                                                         const std::string& run,
                                                         const proto::OpenSink& request) {
  if (auto error = make_folder_durably(served_folder_path(setting.state_dir, run))) return *error;
  proto::ServedSinkRequest kept;
  *kept.mutable_open() = request;
  ServedSink sink(setting, run, std::move(kept));
  if (!sink.stdout_.is_open() || !sink.stderr_.is_open())
    return "cannot write into " + sink.folder_ + ": " + error_text(errno);
  return sink;
}

std::variant<ServedSink, std::string> ServedSink::take_up(const ServedSinkSetting& setting,
                                                          const std::string& run) {
  const std::string folder = served_folder_path(setting.state_dir, run);
  proto::ServedSinkRequest kept;
  if (!kept.ParseFromString(read_whole_file(folder + "/request")) || kept.port() == 0)
    return folder + " has no request that can be read: its ventilator will ask anew";
  ServedSink sink(setting, run, std::move(kept));
  if (!sink.stdout_.is_open() || !sink.stderr_.is_open())
    return "cannot write into " + folder + ": " + error_text(errno);
  return sink;
}

std::optional<std::string> ServedSink::set_ports(std::uint32_t port, std::uint32_t data_port) {
  request_.set_port(port);
  request_.set_data_port(data_port);
  return replace_file_durably(folder_ + "/request", request_.SerializeAsString());
}

ChildProgram ServedSink::program() const {
  const SinkOptions& options = setting_->options;
  ChildProgram program{.executable = role_executable("sink"),
                       .name = "fantail-sink",
                       .output = stdout_.get(),
                       .error = stderr_.get()};
  std::vector<std::string>& arguments = program.arguments;
  for (const Endpoint& bind : setting_->binds)
    arguments.push_back("--bind=" + bind.with_port(port()).text());
  if (data_port() != 0) arguments.push_back("--data-port=" + std::to_string(data_port()));
  arguments.push_back("--run=" + run_);
  arguments.push_back("--state-dir=" + setting_->state_dir);
  arguments.push_back("--keep-runs=" + std::to_string(options.keep_runs));
  // Whoever submitted the run reads what it says.
  arguments.emplace_back("--log-level=warn");
  arguments.push_back("--parent=" + std::to_string(getpid()));
  if (options.common.insecure) arguments.emplace_back("--insecure");
  if (!options.output.output.empty()) arguments.push_back("--output=" + options.output.output);
  if (!options.output.report.empty()) arguments.push_back("--report=" + options.output.report);
  if (!options.output.joblog.empty()) arguments.push_back("--joblog=" + options.output.joblog);
  arguments.insert(arguments.end(), request_.open().output_flags().begin(),
                   request_.open().output_flags().end());
  // What this process was told by the environment is not for its children.
  program.environment.emplace_back("FANTAIL_SERVE=false");
  if (request_.open().columns() > 0)
    program.environment.push_back("COLUMNS=" +
                                  std::to_string(std::min(request_.open().columns(), kColumnsMax)));
  return program;
}

void ServedSink::start(Instant now) {
  if (lock_holder(run_folder_path(setting_->state_dir, run_))) {
    start_at_ = now + kLookForLock;
    return;
  }
  if (const auto error = sink_.start(program(), now)) {
    setting_->log->error("run {}: {}", run_, *error);
    return end(kExitInfrastructure);
  }
  setting_->log->info("run {}: started its sink on port {}", run_, port());
}

void ServedSink::tend(Instant now) {
  if (const auto status = sink_.reap()) {
    const bool exited = WIFEXITED(*status);
    if (suspended_) return;
    if (exited && WEXITSTATUS(*status) == kExitInfrastructure && !ports_free()) {
      request_.set_port(0);  // somebody else took one just before: it gets others
    } else if (exited && WEXITSTATUS(*status) != kExitSuspended) {
      end(WEXITSTATUS(*status));
    } else if (kill_at_) {
      end(kExitInfrastructure);
    } else {
      start_at_ = sink_.restart_at(now);
      setting_->log->warn("run {}: its sink ended with {}: starting it again", run_, describe_end(*status));
    }
  }
  if (kill_at_ && now >= *kill_at_) {
    kill_at_ = now + kLeavesWithin;
    sink_.signal(SIGKILL);
    if (!sink_.running() && !ended()) end(kExitInfrastructure);
  }
  if (!ended() && !sink_.running() && !suspended_ && !kill_at_ && has_ports() && now >= start_at_) start(now);
}

bool ServedSink::ports_free() const {
  return std::all_of(setting_->binds.begin(), setting_->binds.end(), [this](const Endpoint& bind) {
    return is_port_free(bind, port()) && (data_port() == 0 || is_port_free(bind, data_port()));
  });
}

void ServedSink::close(Instant now) {
  if (!ended() && !kill_at_) kill_at_ = now + (sink_.running() ? kLeavesWithin : Duration{0});
}

void ServedSink::suspend() {
  suspended_ = true;
  sink_.signal(SIGTERM);
}

void ServedSink::end(int exit_code) {
  exit_code_ = exit_code;
  setting_->log->info("run {}: its sink ended with exit code {}", run_, exit_code);
  if (const auto error = replace_file_durably(folder_ + "/ended", std::to_string(exit_code) + "\n"))
    setting_->log->error("{}", *error);
}

Instant ServedSink::next_wake() const {
  if (ended()) return kNever;
  Instant wake = kill_at_.value_or(kNever);
  if (!sink_.running() && !suspended_ && !kill_at_ && has_ports()) wake = std::min(wake, start_at_);
  return wake;
}

proto::RunOutputPiece ServedSink::read(const proto::ReadOutput& from) const {
  proto::RunOutputPiece piece;
  piece.set_stdout_offset(from.stdout_offset());
  piece.set_stdout_data(read_piece(stdout_, from.stdout_offset()));
  piece.set_stderr_offset(from.stderr_offset());
  piece.set_stderr_data(read_piece(stderr_, from.stderr_offset()));
  return piece;
}

void ServedSink::remove() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace fantail
