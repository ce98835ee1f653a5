// The sink of one run that was submitted, a child process of a sink that serves, in STATE_DIR/served/RUN:
//   request          how its output is to look, and where it listens
//   stdout, stderr   what it writes, as whoever submitted the run reads it
//   ended            its exit code, once it is gone
#pragma once

#include <csignal>
#include <optional>
#include <string>
#include <variant>

#include "pipeline/app/child_process.h"
#include "pipeline/app/file_descriptor.h"
#include "pipeline/app/logging.h"
#include "serving.pb.h"
#include "sink/options.h"

namespace fantail {

struct ServedSinkSetting {
  const SinkOptions& options;
  std::string state_dir;
  std::vector<Endpoint> binds;  // as they are bound
  Logger log;
};

class ServedSink {
 public:
  // Errors are sentences.
  static std::variant<ServedSink, std::string> create(const ServedSinkSetting& setting,
                                                      const std::string& run, const proto::OpenSink& request);
  static std::variant<ServedSink, std::string> take_up(const ServedSinkSetting& setting,
                                                       const std::string& run);

  const std::string& run() const { return run_; }  // as text
  std::uint32_t port() const { return request_.port(); }
  std::uint32_t data_port() const { return request_.data_port(); }
  bool has_ports() const { return port() != 0; }
  bool ports_free() const;
  std::optional<std::string> set_ports(std::uint32_t port, std::uint32_t data_port);
  bool ended() const { return exit_code_.has_value(); }
  int exit_code() const { return exit_code_.value_or(0); }
  bool running() const { return sink_.running(); }

  void tend(Instant now);
  // Its ventilator is gone: it has a moment to leave by itself.
  void close(Instant now);
  void suspend();
  void kill() { sink_.signal(SIGKILL); }
  Instant next_wake() const;
  proto::RunOutputPiece read(const proto::ReadOutput& from) const;
  void remove();

 private:
  ServedSink(const ServedSinkSetting& setting, std::string run, proto::ServedSinkRequest request);
  void start(Instant now);
  ChildProgram program() const;
  void end(int exit_code);

  const ServedSinkSetting* setting_;
  std::string run_;
  std::string folder_;
  proto::ServedSinkRequest request_;
  FileDescriptor stdout_;
  FileDescriptor stderr_;
  ChildProcess sink_;
  Instant start_at_{};
  std::optional<Instant> kill_at_;
  std::optional<int> exit_code_;
  bool suspended_ = false;
};

}  // namespace fantail
