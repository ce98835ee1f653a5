// A worker's conversation with its ventilator and its sink: registration, the lane, what it holds, results
// until they are durable, drain. Knows no sockets, threads or clocks; the executor behind the outbox runs the
// jobs. It may be copied and compared by hash(). docs/PROTOCOL.md has the table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "messages.pb.h"
#include "pipeline/dropped_messages.h"
#include "pipeline/instant.h"
#include "pipeline/range_set.h"
#include "worker/job_slice.h"
#include "worker/processor.h"

namespace fantail {

class StateHash;

struct SessionPolicy {
  std::string worker_id;  // ULID of this process incarnation
  std::string name;
  std::uint32_t slots = 1;
  std::uint32_t async_slots = 128;
  std::vector<std::string> kinds;
  std::string transport;  // tcp or ipc
  Duration heartbeat = std::chrono::seconds(1);
  bool stay = false;  // wait for the next ventilator once a run is over
};

class SessionOutbox {
 public:
  virtual ~SessionOutbox() = default;
  virtual void connect_lane(std::uint32_t port) = 0;
  virtual void close_lane() = 0;
  virtual void connect_sink(const std::string& endpoint, std::uint32_t tcp_port) = 0;
  virtual void connect_sink_data(std::uint32_t port) = 0;
  virtual void send_to_ventilator(const proto::WorkerToVentilator& message) = 0;
  virtual void send_to_sink(const proto::WorkerToSink& message) = 0;
  // The bytes never change: they may be on their way for as long as they are shared.
  virtual void send_results(const std::shared_ptr<const std::string>& serialized) = 0;
  // ---- the executor
  virtual void set_run(const proto::RunSpec& spec) = 0;  // forgets all jobs of the former run
  virtual void start(JobSlice jobs) = 0;
  virtual std::vector<JobId> drop_queued() = 0;  // takes back the jobs that no slot has started
  virtual void stop_running(StopReason reason) = 0;
  // See Executor::cancel.
  virtual std::vector<JobId> cancel(const RangeSet& jobs) = 0;
  virtual void permit(JobId job, const std::string& host) = 0;
  virtual std::uint64_t running() = 0;
  virtual void output_durable(JobId job, std::uint64_t bytes) = 0;  // of what on_outputs was given
  virtual void on_event(const std::string& what) = 0;
};

class Session {
 public:
  // What the session waits for, for the one who watches.
  enum class WaitsFor { kNothing, kVentilator, kLane, kSink, kSinkData };

  explicit Session(SessionPolicy policy) : policy_(std::move(policy)) {}

  void on_ventilator(const proto::VentilatorToWorker& message, Instant now, SessionOutbox& out);
  // Takes the message's columns out.
  void on_lane(proto::Lane&& message, Instant now, SessionOutbox& out);
  void on_sink(const proto::SinkToWorker& message, Instant now, SessionOutbox& out);
  // Batches of outcomes, see completion.h.
  void on_completions(std::vector<proto::Results> completions, Instant now, SessionOutbox& out);
  // What running jobs wrote: kept and sent again as results are. A job completes after its output is durable.
  void on_outputs(std::vector<proto::JobOutput> outputs, Instant now, SessionOutbox& out);
  void on_host_events(std::vector<proto::HostEvent> events, SessionOutbox& out);
  void on_unreadable() { ++dropped_.forged; }  // a message, whoever sent it
  // No new jobs, running ones finish, results are handed over, then finished() becomes true.
  void on_drain(Instant now, SessionOutbox& out);
  Instant on_tick(Instant now, SessionOutbox& out);

  bool finished() const { return finished_; }
  bool draining() const { return draining_; }
  const DroppedMessages& dropped() const { return dropped_; }
  WaitsFor waits_for() const;
  const std::string& refusal() const { return refusal_; }  // why the ventilator gave no lane; may be empty
  std::uint64_t hash() const;
  void add_to(StateHash& hash) const;

 private:
  static constexpr int kSinkSilentHeartbeats = 3;

  struct Retained {
    std::shared_ptr<const std::string> serialized;
    RangeSet jobs;
    JobId output_of = 0;
    std::uint64_t output_bytes = 0;  // of a running job
    Instant sent{};
    Duration resend_after{0};
    std::uint64_t sending = 0;  // counts what goes to the sink, first time or again
  };

  void say_hello(Instant now, SessionOutbox& out);
  void say_hello_to_sink(SessionOutbox& out);
  void on_welcome(const proto::WorkerWelcome& welcome, std::uint64_t epoch, Instant now, SessionOutbox& out);
  void on_pong(const proto::VentilatorPong& pong, Instant now, SessionOutbox& out);
  void on_run_over(Instant now, SessionOutbox& out);
  void begin_run(const proto::RunSpec& spec, Instant now, SessionOutbox& out);
  void start_new(JobSlice jobs, SessionOutbox& out);
  void give_back_queued(Instant now, SessionOutbox& out);
  void cancel(const RangeSet& jobs, Instant now, SessionOutbox& out);
  void discard(const RangeSet& jobs, Instant now, SessionOutbox& out);
  RangeSet active(const RangeSet& jobs) const;
  void drop_queued(SessionOutbox& out);
  void let_go(JobId job);
  void forget_jobs();
  void forget_results();
  RangeSet holding() const;
  proto::WorkerToVentilator to_ventilator();
  void send_host_events(std::vector<proto::HostEvent> events, SessionOutbox& out);
  void ask_for_permits(SessionOutbox& out);
  void send_status(bool complete, Instant now, SessionOutbox& out);
  Retained& retain_and_send(proto::Results results, RangeSet jobs, Instant now, SessionOutbox& out);
  void on_durable(const proto::ResultsDurable& durable, Instant now, SessionOutbox& out);
  bool sink_silent(Instant now) const;
  void resend(Instant now, SessionOutbox& out, bool all);
  void send(Retained& retained, Instant now, SessionOutbox& out);
  void measure(const proto::Results& results);
  void give_back_failed(proto::Results& results, SessionOutbox& out);
  bool gives_back(const proto::Results& results, const proto::Failure& failure) const;
  bool take_discarded(proto::Results& results);
  bool blocked() const;

  SessionPolicy policy_;
  std::uint64_t epoch_ = 0;  // the ventilator's; 0: not welcomed
  std::uint32_t lane_port_ = 0;
  std::uint64_t next_number_ = 1;  // of messages to the ventilator
  std::string refusal_;
  Instant hello_at_{};
  Instant status_at_{};

  std::string run_id_;
  std::uint64_t received_sequence_ = 0;
  RangeSet active_;                      // queued or running
  RangeSet discarded_;                   // of these, told to stop, and nobody wants to know how they end
  RangeSet copies_;                      // of these, second copies
  RangeSet retained_jobs_;               // in retained_
  std::map<JobId, std::string> wanted_;  // running jobs that wait for this host's permit
  std::uint32_t attempts_max_ = 1;
  bool hedged_ = false;  // all that failed goes to the ventilator
  proto::InputFormat input_format_ = proto::INPUT_PLAIN;
  double mean_job_ns_ = 0;
  bool measured_ = false;
  proto::StopLevel stop_level_ = proto::STOP_NONE;

  std::string sink_endpoint_;
  std::uint64_t sink_epoch_ = 0;  // 0: not welcomed
  Instant sink_heard_{};
  std::uint32_t sink_data_port_ = 0;
  bool sink_data_works_ = false;
  std::uint64_t next_result_sequence_ = 1;
  std::uint64_t next_sending_ = 1;
  std::map<std::uint64_t, Retained> retained_;  // finished, or output; not known to be durable
  std::uint64_t retained_bytes_ = 0;

  bool draining_ = false;
  bool finished_ = false;
  DroppedMessages dropped_;
};

}  // namespace fantail
