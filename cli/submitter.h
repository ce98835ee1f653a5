// Submits one run and stays with it to its end: streams its inputs, passes its output on, tells of
// interrupts. Everything is said again until it is known to have arrived, so ventilator and sink may be
// started again meanwhile.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "messages.pb.h"
#include "pipeline/app/signals.h"
#include "pipeline/endpoint.h"
#include "pipeline/net/poller.h"
#include "pipeline/net/socket.h"
#include "ventilator/input_reader.h"

namespace fantail {

struct SubmitOptions {
  Endpoint ventilator;
  Duration wait;  // for the ventilator's first answer
  bool insecure = false;
  bool quiet = false;
};

class Submitter {
 public:
  // source: empty where the run's inputs are generated.
  Submitter(const SubmitOptions& options, proto::SubmittedRun run, std::unique_ptr<Source> source);
  int run(Signals& signals);  // the exit code

 private:
  // What is yet to be written to one of our descriptors.
  struct Stream {
    int descriptor;
    std::uint64_t received = 0;
    std::string pending{};
    std::size_t written = 0;  // of pending
    bool broken = false;
    bool empty() const { return pending.empty(); }
    void take(std::uint64_t offset, const std::string& data);
    void flush();
  };

  void read_inputs();
  void send_inputs(Instant now);
  void say(Instant now);
  void receive(Instant now);
  void on_state(const proto::SubmissionState& state, Instant now);
  void connect_sink(const proto::SubmissionState& state);
  bool may_ask_sink() const;
  void ask_sink(Instant now);
  void receive_sink(Instant now);
  void on_signal(int signal);
  void flush_output();
  void tell_what_it_waits_for(Instant now);
  void finish();
  void leave();
  Instant next_wake(Instant now) const;
  std::uint64_t read_so_far() const { return acknowledged_ + (stream_.size() - begin_); }
  bool reads_inputs() const;
  void end(int code, const std::string& sentence);

  const SubmitOptions& options_;
  proto::SubmittedRun run_;
  std::string run_id_;
  std::string run_text_;
  SocketContext context_;
  Socket control_;
  std::optional<Socket> sink_;
  std::optional<Endpoint> sink_endpoint_;
  std::unique_ptr<InputReader> reader_;

  std::string stream_;  // from begin_ on: what is not acknowledged
  std::size_t begin_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t sent_ = 0;
  std::optional<proto::InputsEnd> end_;

  bool accepted_ = false;
  bool told_place_ = false;
  std::optional<proto::SubmissionState> over_;
  Instant started_{};
  Instant over_at_{};
  Instant heard_{};
  Instant sink_heard_{};
  Instant progressed_{};
  Instant say_at_{};
  Instant ask_sink_at_{};
  Instant told_at_{};
  bool sink_ended_ = false;
  std::uint32_t interrupts_ = 0;
  Stream output_{.descriptor = 1};
  Stream errors_{.descriptor = 2};
  std::optional<int> exit_code_;
};

}  // namespace fantail
