// The ways out of the three deciders, for their tests: each keeps what was sent until the test takes it, so
// that expect_empty() can say that nothing else was. Events for the log are kept apart; they are no part of
// the protocol.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "messages.pb.h"
#include "sink/collector.h"
#include "tests/support/columns.h"
#include "ventilator/dispatcher.h"
#include "worker/session.h"

namespace fantail {

// What was sent one way, in order.
template <typename Value>
class Recorded {
 public:
  void add(Value value) { values_.push_back(std::move(value)); }
  // The oldest; a test that takes what was not sent fails and goes on with an empty one.
  Value take() {
    if (values_.empty()) {
      ADD_FAILURE() << "nothing was sent";
      return Value{};
    }
    Value value = std::move(values_.front());
    values_.pop_front();
    return value;
  }
  std::vector<Value> take_all() {
    std::vector<Value> values(values_.begin(), values_.end());
    values_.clear();
    return values;
  }
  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  void clear() { values_.clear(); }

 private:
  std::deque<Value> values_;
};

class RecordingDispatchOutbox : public DispatchOutbox {
 public:
  struct Batch {
    WorkerId worker;
    LaneBatch batch;
    std::vector<JobId> jobs() const { return jobs_in(batch.jobs); }
  };
  struct ToWorker {
    WorkerId worker;
    proto::VentilatorToWorker message;
  };
  struct Proposal {
    std::vector<JobSpan> jobs;
    Verdict verdict = Verdict::kCancelled;
  };
  struct DeadJobs {
    std::vector<JobSpan> jobs;
    bool alone = false;
  };

  void open_lane(const WorkerId& worker) override { opened.add(worker); }
  void close_lane(const WorkerId& worker) override { closed.add(worker); }
  void send_jobs(const WorkerId& worker, const LaneBatch& batch) override { batches.add({worker, batch}); }
  void send_to_worker(const WorkerId& worker, const proto::VentilatorToWorker& message) override {
    to_worker.add({worker, message});
  }
  void send_to_sink(const proto::VentilatorToSink& message) override { to_sink.add(message); }
  void propose(const std::vector<JobSpan>& jobs, Verdict verdict) override { proposals.add({jobs, verdict}); }
  void propose_failed(const proto::FailedAttempt& attempt) override { failed.add(attempt); }
  bool advance_frontier(JobId frontier) override {
    if (frontier_writable) frontiers.add(frontier);
    return frontier_writable;
  }
  void record_deaths(const std::vector<JobSpan>& jobs, bool alone) override { deaths.add({jobs, alone}); }
  void record_stop(const StopDecision& stop) override {
    stops.add(stop);
    sent_before_stop = to_worker.size() + to_sink.size() + proposals.size();
  }
  void record_end() override { ++recorded_ends; }
  std::uint64_t fitting(JobSpan jobs, std::uint64_t& bytes) override {
    const std::uint64_t fits = std::min(jobs.size(), bytes / input_bytes);
    bytes -= fits * input_bytes;
    return fits;
  }
  std::string host_of(JobId job) override { return hosts.at(static_cast<std::size_t>(job)); }
  void on_event(const std::string& what) override { events.push_back(what); }
  void on_trouble(const std::string& what) override { troubles.add(what); }

  // Nothing was sent to workers that the test did not take.
  void expect_workers_empty() const {
    EXPECT_TRUE(opened.empty());
    EXPECT_TRUE(closed.empty());
    EXPECT_TRUE(batches.empty());
    EXPECT_TRUE(to_worker.empty());
  }
  void expect_empty() const {
    expect_workers_empty();
    EXPECT_TRUE(to_sink.empty());
    EXPECT_TRUE(proposals.empty());
    EXPECT_TRUE(troubles.empty());
  }

  Recorded<WorkerId> opened, closed;
  Recorded<Batch> batches;
  Recorded<ToWorker> to_worker;
  Recorded<proto::VentilatorToSink> to_sink;
  Recorded<Proposal> proposals;
  Recorded<proto::FailedAttempt> failed;
  Recorded<std::string> troubles;
  Recorded<JobId> frontiers;
  Recorded<DeadJobs> deaths;
  Recorded<StopDecision> stops;
  std::size_t sent_before_stop = 0;
  int recorded_ends = 0;
  bool frontier_writable = true;
  std::uint64_t input_bytes = 1;  // of each job
  std::vector<std::string> events;
  std::vector<std::string> hosts;  // what host_of answers, by job
};

class RecordingSessionOutbox : public SessionOutbox {
 public:
  void connect_lane(std::uint32_t port) override { lanes.add(port); }
  void close_lane() override { ++closed_lanes; }
  void connect_sink(const std::string& endpoint, std::uint32_t tcp_port) override {
    sinks.add({endpoint, tcp_port});
  }
  void connect_sink_data(std::uint32_t port) override { data_ports.add(port); }
  void send_to_ventilator(const proto::WorkerToVentilator& message) override { to_ventilator.add(message); }
  void send_to_sink(const proto::WorkerToSink& message) override { to_sink.add(message); }
  void send_results(const std::shared_ptr<const std::string>& serialized) override {
    proto::Results message;
    EXPECT_TRUE(message.ParseFromString(*serialized));
    results.add(std::move(message));
  }
  void set_run(const proto::RunSpec& spec) override { runs.add(spec); }
  void start(JobSlice jobs) override {
    for (AcceptedJob& job : accepted_jobs(std::move(jobs)))
      started.add(std::move(job));
  }
  std::vector<JobId> drop_queued() override { return std::exchange(queued, {}); }
  void stop_running(StopReason reason) override { stops.add(reason); }
  std::vector<JobId> cancel(const RangeSet& jobs) override {
    cancels.add(jobs.spans());
    return std::exchange(queued, {});
  }
  void permit(JobId job, const std::string& host) override { permits.add({job, host}); }
  std::uint64_t running() override { return running_now; }
  void output_durable(JobId job, std::uint64_t bytes) override { durable_outputs.add({job, bytes}); }
  void on_event(const std::string& what) override { events.push_back(what); }

  void expect_empty() const {
    EXPECT_TRUE(lanes.empty());
    EXPECT_TRUE(sinks.empty());
    EXPECT_TRUE(data_ports.empty());
    EXPECT_TRUE(to_ventilator.empty());
    EXPECT_TRUE(to_sink.empty());
    EXPECT_TRUE(results.empty());
    EXPECT_TRUE(runs.empty());
    EXPECT_TRUE(started.empty());
    EXPECT_TRUE(stops.empty());
    EXPECT_TRUE(cancels.empty());
    EXPECT_TRUE(permits.empty());
    EXPECT_TRUE(durable_outputs.empty());
  }

  Recorded<std::uint32_t> lanes, data_ports;
  Recorded<std::pair<std::string, std::uint32_t>> sinks;
  Recorded<proto::WorkerToVentilator> to_ventilator;
  Recorded<proto::WorkerToSink> to_sink;
  Recorded<proto::Results> results;
  Recorded<proto::RunSpec> runs;
  Recorded<AcceptedJob> started;
  Recorded<StopReason> stops;
  Recorded<std::vector<JobSpan>> cancels;
  Recorded<std::pair<JobId, std::string>> permits;
  Recorded<std::pair<JobId, std::uint64_t>> durable_outputs;
  std::vector<std::string> events;
  int closed_lanes = 0;
  // What the executor would answer.
  std::vector<JobId> queued;
  std::uint64_t running_now = 0;
};

class RecordingCollectorOutbox : public CollectorOutbox {
 public:
  struct ToWorker {
    std::string worker_id;
    proto::SinkToWorker message;
  };

  void send_to_worker(const std::string& worker_id, const proto::SinkToWorker& message) override {
    to_worker.add({worker_id, message});
  }
  void send_to_ventilator(const proto::SinkToVentilator& message) override { to_ventilator.add(message); }
  void begin_run(const proto::RunSpec& spec) override { begun.add(spec); }
  void end_run() override { ++ended; }
  void on_event(const std::string& what) override { events.push_back(what); }

  void expect_empty() const {
    EXPECT_TRUE(to_worker.empty());
    EXPECT_TRUE(to_ventilator.empty());
    EXPECT_TRUE(begun.empty());
  }

  Recorded<ToWorker> to_worker;
  Recorded<proto::SinkToVentilator> to_ventilator;
  Recorded<proto::RunSpec> begun;
  std::vector<std::string> events;
  int ended = 0;
};

// Keeps copies: an Outcome's views end with the call.
class RecordingLedger : public Ledger {
 public:
  struct Record {
    JobId job = 0;
    Status status = Status::kOk;
    std::uint32_t attempt = 0;
    std::string input, worker, error_code, error_message, payload;
    std::uint64_t duration_us = 0;
  };
  struct WithoutRows {
    JobSpan jobs;
    Status status = Status::kOk;
  };

  void record(const Kind&, const Outcome& outcome) override {
    Record record;
    record.job = outcome.job;
    record.status = outcome.status;
    record.attempt = outcome.attempt;
    record.input = outcome.input;
    record.worker = outcome.worker;
    record.error_code = outcome.error_code;
    record.error_message = outcome.error_message;
    record.payload = outcome.payload;
    record.duration_us = outcome.duration_us;
    records.add(std::move(record));
  }
  void record_without_rows(JobSpan jobs, Status status) override { without_rows.add({jobs, status}); }

  Recorded<Record> records;
  Recorded<WithoutRows> without_rows;
};

}  // namespace fantail
