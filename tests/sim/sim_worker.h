// A worker's shell and its executor, simulated: what worker/worker.cpp does around the session.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/network.h"
#include "tests/sim/process.h"
#include "worker/session.h"

namespace fantail::sim {

class SimWorker final : public Process, private SessionOutbox {
 public:
  SimWorker(World& world, std::size_t index, std::uint32_t slots)
      : Process(world), index_(index), slots_(slots) {}

  Party party() const { return kFirstWorker + index_; }
  const std::string& id() const { return id_; }
  std::size_t running_jobs() const { return alive() ? running_.size() : 0; }
  bool has(JobId job) const;  // in a slot, or waiting for one

  // ---- what arrives
  void receive_ventilator(std::uint64_t life, std::shared_ptr<const proto::VentilatorToWorker> message);
  void receive_sink(std::uint64_t life, std::shared_ptr<const proto::SinkToWorker> message);
  void drain();

  // ---- the lane
  // Of another's lane, whose port was its own.
  void take_from_strange_lane() { strange_lane_ = true; }
  bool connected(std::uint64_t pull) const {
    return alive() && pull_ && pull_->id == pull && pull_->connected;
  }
  void lane_broken(std::uint64_t pull);
  void send_lane(std::uint64_t pull, std::shared_ptr<const proto::Lane> message);

  // ---- results
  void sink_up();
  void cut_results();

  const std::map<std::uint64_t, std::vector<JobId>>& sent_results() const { return sent_; }
  std::uint64_t state_hash() const { return session_ ? session_->hash() : 0; }

 private:
  struct Pull {
    std::uint64_t id = 0;
    std::uint32_t port = 0;
    bool connected = false;
    Stream stream;
  };
  struct Running {
    AcceptedJob job;
    Instant arrived, started;
    StopReason stop = StopReason::kNone;
    std::string wants;  // waits for this host's permit
    std::uint64_t serial = 0;
  };
  struct Queued {
    AcceptedJob job;
    Instant arrived;
  };

  void begin() override;
  void die() override;
  Instant turn() override;
  void receive(Instant now);
  void try_connect(std::uint64_t pull);
  void flush_results();

  // ---- the executor
  void fill_slots();
  void run(const Running& running);
  void finish_at(JobId job, std::uint64_t serial, Instant when);
  void finish(JobId job, std::uint64_t serial);
  void forget_running();
  void push_event(proto::HostEvent::Type type, JobId job, const std::string& host);

  // ---- SessionOutbox
  void connect_lane(std::uint32_t port) override;
  void close_lane() override;
  void connect_sink(const std::string& endpoint, std::uint32_t tcp_port) override;
  void connect_sink_data(std::uint32_t port) override;
  void send_to_ventilator(const proto::WorkerToVentilator& message) override;
  void send_to_sink(const proto::WorkerToSink& message) override;
  void send_results(const std::shared_ptr<const std::string>& serialized) override;
  void set_run(const proto::RunSpec& spec) override;
  void start(JobSlice jobs) override;
  std::vector<JobId> drop_queued() override;
  void stop_running(StopReason reason) override;
  std::vector<JobId> cancel(const RangeSet& jobs) override;
  void permit(JobId job, const std::string& host) override;
  std::uint64_t running() override { return running_.size(); }
  void output_durable(JobId, std::uint64_t) override {}
  void on_event(const std::string&) override {}

  // ---- checks
  void check_holding(const google::protobuf::RepeatedPtrField<proto::JobRange>& holding);
  void check_credit();
  bool is_outcome(const proto::Results& completion);
  void note_discarded(const google::protobuf::RepeatedPtrField<proto::JobRange>& jobs);
  void check_statuses(const proto::Results& results);

  std::size_t index_;
  std::uint32_t slots_;
  std::string id_;
  std::optional<Session> session_;
  std::deque<std::shared_ptr<const proto::VentilatorToWorker>> from_ventilator_;
  std::deque<std::shared_ptr<const proto::SinkToWorker>> from_sink_;
  std::deque<std::shared_ptr<const proto::Lane>> from_lane_;
  bool drains_ = false;
  bool sink_connected_ = false;
  bool data_connected_ = false;
  std::optional<Pull> pull_;
  std::uint64_t next_pull_ = 1;
  Stream results_;
  std::deque<std::string> unsent_results_;

  std::deque<Queued> queue_;
  std::map<JobId, Running> running_;
  std::vector<proto::Results> completions_;
  std::vector<proto::HostEvent> host_events_;
  std::uint64_t next_serial_ = 1;

  std::map<std::uint64_t, std::vector<JobId>> sent_;  // by result sequence
  RangeSet finished_;                                 // handed to the session
  RangeSet discarded_;                                // running, and told to stop without an outcome
  bool strange_lane_ = false;
  std::uint64_t welcomed_by_ = 0;  // the ventilator's epoch
  std::uint64_t ahead_most_ = 1;   // of what the ventilator may have granted
};

}  // namespace fantail::sim
