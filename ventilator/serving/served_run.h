// A run that was submitted to a ventilator that serves: what is kept of it, its own ventilator, a child
// process, and what its sink is known to be doing.
#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "messages.pb.h"
#include "pipeline/app/child_process.h"
#include "pipeline/app/logging.h"
#include "pipeline/net/socket.h"
#include "ventilator/options.h"
#include "ventilator/serving/submission_folder.h"

namespace fantail {

// What all runs of a server have in common.
struct ServedSetting {
  const VentilatorOptions& options;
  std::string state_dir;
  std::vector<Endpoint> binds;  // as they are bound
  Logger log;
};

class ServedRun {
 public:
  // recovered: taken up from what a former life of the server kept.
  ServedRun(const ServedSetting& setting, std::string run_id, SubmissionFolder folder, bool recovered,
            Instant now);

  const std::string& id() const { return id_; }  // 16 bytes
  const proto::SubmittedRun& submitted() const { return folder_.submitted(); }
  bool over() const { return folder_.outcome().has_value(); }
  bool running() const { return ventilator_.running(); }
  bool reachable() const { return open() && sink_port_ != 0; }  // by workers, now or in a moment
  std::uint32_t port() const { return port_; }
  std::uint32_t sink_port() const { return sink_port_; }
  // Somebody has to be told that it is over.
  bool sink_in_use() const { return sink_opened_ && !sink_ended_; }
  bool left() const { return left_; }  // whoever submitted it knows how it ended

  // It is its turn: `port` is for its ventilator.
  void open(std::uint32_t port);
  bool open() const { return opened_ && !over(); }
  void on_submission(const proto::Submission& message, Instant now);
  void on_sink(const proto::FromServingSink& answer, Instant now);
  // What to say to the sink that serves; empty: nothing now.
  std::optional<proto::ToServingSink> to_sink(Instant now);
  proto::SubmissionState state() const;
  // Starts, reaps and ends processes. True: something changed that others should hear of.
  bool tend(Instant now);
  Instant next_wake() const;
  void suspend() { ventilator_.signal(SIGTERM); }
  void kill() { ventilator_.signal(SIGKILL); }
  void forget();
  bool forgotten() const { return forgotten_; }

  std::string submitter;  // routing id of who submitted it; empty: not heard of
  bool suspended = false;

 private:
  void start(Instant now);
  void pass_interrupts(Instant now);
  ChildProgram program() const;
  void on_exit(int status, Instant now);
  void end(int exit_code, const std::string& refusal = {});
  void complain_once(const std::optional<std::string>& error);

  const ServedSetting& setting_;
  std::string id_;
  std::string text_;
  SubmissionFolder folder_;
  ChildProcess ventilator_;
  Instant start_at_{};
  bool opened_ = false;
  bool started_ = false;  // at least once
  bool left_ = false;
  bool forgotten_ = false;
  std::uint32_t port_ = 0;
  std::uint32_t sink_port_ = 0;
  std::uint32_t sink_tcp_port_ = 0;
  bool sink_opened_ = false;
  bool sink_ended_ = false;
  std::uint32_t sink_exit_code_ = 0;
  Instant ask_sink_at_{};
  std::optional<Instant> kill_at_;
  std::optional<std::uint32_t> interrupts_;  // of people; empty: not heard of since this process began
  std::uint32_t interrupts_passed_ = 0;
  Instant interrupt_at_{};
  Instant heard_{};
  std::string complaint_;
  bool changed_ = false;
};

}  // namespace fantail
