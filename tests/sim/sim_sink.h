// The sink's shell, simulated: group commit to a ledger, restart from it, the report.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sink/collector.h"
#include "tests/sim/faults.h"
#include "tests/sim/process.h"
#include "tests/sim/storage.h"

namespace fantail::sim {

class SimSink final : public Process, private CollectorOutbox, private Ledger {
 public:
  using Process::Process;

  void receive_results(std::uint64_t life, std::shared_ptr<const proto::Results> results);
  void receive_worker(std::size_t worker, std::uint64_t life,
                      std::shared_ptr<const proto::WorkerToSink> message);
  void receive_ventilator(std::uint64_t life, std::shared_ptr<const proto::VentilatorToSink> message);
  void fill_disk(Duration duration);
  void free_disk();

  std::optional<int> exit_code() const { return exit_code_; }
  int run_exit_code() const { return last_run_exit_code_; }
  std::uint64_t state_hash() const { return collector_ ? collector_->hash() : 0; }

 private:
  struct Peer {
    std::size_t worker;
    std::uint64_t life;
  };
  struct Control {
    std::optional<Peer> worker;
    std::uint64_t ventilator = 0;
    std::shared_ptr<const proto::WorkerToSink> from_worker;
    std::shared_ptr<const proto::VentilatorToSink> from_ventilator;
  };

  void begin() override;
  void die() override {}
  Instant turn() override;
  std::string replayed_aggregate() const;
  bool receive_data(Instant now);
  void receive_control(Instant now);
  bool commit_due(Instant now, bool more) const;
  void begin_commit();
  void take_snapshot();
  void end_commit(bool durable);
  void write_commit();
  void tell_committed();
  bool dies_here(Fault fault);
  void deliver(const Control& control);

  // ---- CollectorOutbox
  void send_to_worker(const std::string& worker_id, const proto::SinkToWorker& message) override;
  void send_to_ventilator(const proto::SinkToVentilator& message) override;
  void begin_run(const proto::RunSpec& spec) override;
  void end_run() override { ends_ = true; }
  void on_event(const std::string&) override {}

  // ---- Ledger
  void record(const Kind& kind, const Outcome& outcome) override;
  void record_without_rows(JobSpan jobs, Status status) override;

  void check_log(const proto::RunLog& log);
  void check_durable(const std::string& worker_id, const proto::ResultsDurable& durable);

  std::optional<Collector> collector_;
  std::deque<std::shared_ptr<const proto::Results>> data_;
  std::deque<Control> control_;
  std::map<std::string, Peer> workers_;
  std::uint64_t ventilator_life_ = 0;  // of the one who spoke last

  struct Staged {
    std::map<JobId, SimRow> rows;
    std::map<JobId, Status> without_rows;
  };
  Staged staged_;
  // What the commit that goes on is about.
  bool committing_ = false;
  Staged writing_;
  proto::Books books_;
  std::string aggregate_;
  bool books_changed_ = false;
  Instant staged_since_{};
  bool ends_ = false;
  bool stuck_ = false;  // the disk is full
  Instant full_until_{};
  int last_run_exit_code_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace fantail::sim
