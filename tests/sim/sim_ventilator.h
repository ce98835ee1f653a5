// The ventilator's shell, simulated: what ventilator/ventilator.cpp does around the dispatcher.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/faults.h"
#include "tests/sim/process.h"
#include "ventilator/dispatcher.h"

namespace fantail::sim {

using FromWorker = std::shared_ptr<const proto::WorkerToVentilator>;
using FromSink = std::shared_ptr<const proto::SinkToVentilator>;

class SimVentilator final : public Process, private DispatchOutbox {
 public:
  using Process::Process;

  // ---- what arrives
  void receive_worker(std::size_t worker, std::uint64_t life, FromWorker message);
  void receive_sink(std::uint64_t life, FromSink message);
  void sink_gone();
  void interrupt() { ++signals_; }
  // A worker's PULL socket reaches the port. False: nobody listens there.
  bool connect(std::uint32_t port, std::size_t worker, std::uint64_t pull);
  void cut_lane(std::uint64_t choice);

  std::optional<int> exit_code() const { return exit_code_; }
  std::uint64_t state_hash() const { return dispatcher_ ? dispatcher_->hash() : 0; }
  std::uint64_t waiting() const { return from_workers_.size() + from_sink_.size(); }

 private:
  struct Pull {
    std::size_t worker;
    std::uint64_t pull;
  };
  struct Lane {
    std::uint32_t port = 0;
    bool open = false;
    bool connected = true;  // once it is open
    std::vector<Pull> pulls;
    std::size_t next = 0;
  };
  struct Peer {
    std::size_t worker;
    std::uint64_t life;
  };
  struct Incoming {
    Peer from;
    FromWorker message;
  };

  void begin() override;
  void die() override;
  Instant turn() override;
  void receive(Instant now);
  void open_lanes(Instant now);
  void watch_lanes(Instant now);
  void forget_closed(Lane& lane) const;
  void take_input(Instant now);
  void give_spooled(JobSpan jobs, Instant now);
  void on_signals(Instant now);
  Instant clock() const;
  void leave();
  std::uint32_t free_port();
  void send_lane(Lane& lane, const proto::Lane& message);
  bool dies_here(Fault fault, std::uint64_t per_mille_factor = 1);
  void tells_of_stop();

  // ---- DispatchOutbox
  void open_lane(const WorkerId& worker) override;
  void close_lane(const WorkerId& worker) override;
  void send_jobs(const WorkerId& worker, const LaneBatch& batch) override;
  std::uint64_t fitting(JobSpan jobs, std::uint64_t&) override { return jobs.size(); }
  void send_to_worker(const WorkerId& worker, const proto::VentilatorToWorker& message) override;
  void send_to_sink(const proto::VentilatorToSink& message) override;
  void propose(const std::vector<JobSpan>& jobs, Verdict verdict) override;
  void propose_failed(const proto::FailedAttempt& attempt) override;
  bool advance_frontier(JobId frontier) override;
  void record_deaths(const std::vector<JobSpan>& jobs, bool alone) override;
  void record_stop(const StopDecision& stop) override;
  void record_end() override;
  std::string host_of(JobId job) override;
  void on_event(const std::string& what) override;
  void on_trouble(const std::string& what) override;

  std::optional<Dispatcher> dispatcher_;
  std::deque<Incoming> from_workers_;
  std::deque<FromSink> from_sink_;
  std::set<std::string> won_groups_;  // as far as this life's dispatcher was told
  bool sink_gone_ = false;
  int signals_ = 0;
  int interrupts_ = 0;
  bool stop_told_ = false;  // and it was durable by then; in any of its lives
  bool input_over_ = false;
  std::map<WorkerId, Peer> peers_;
  std::map<WorkerId, Lane> lanes_;
  std::uint32_t next_port_ = 5600;
  Duration work_told_{0};  // by the sink, at most
  std::optional<int> exit_code_;
};

}  // namespace fantail::sim
