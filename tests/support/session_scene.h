// A session with a ventilator and a sink that say what the test wants them to say.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/job_ranges.h"
#include "tests/support/recording_outboxes.h"
#include "worker/completion.h"
#include "worker/session.h"

namespace fantail {

class SessionScene {
 public:
  static constexpr std::uint64_t kEpoch = 77;
  static constexpr const char* kRun = "run-0123456789ab";
  static constexpr std::uint32_t kLanePort = 5600;
  static constexpr std::uint32_t kDataPort = 5559;

  static SessionPolicy make_policy() {
    SessionPolicy policy;
    policy.worker_id = "worker-id-012345";
    policy.name = "host-1";
    policy.slots = 2;
    policy.async_slots = 7;
    policy.kinds = {"echo", "files"};
    policy.transport = "tcp";
    return policy;
  }

  explicit SessionScene(SessionPolicy policy = make_policy()) : session(std::move(policy)) {}

  void tick() { session.on_tick(now, out); }
  void advance(Duration duration) {
    const Instant until = now + duration;
    while (now < until) {
      now += std::min<Duration>(std::chrono::milliseconds(50), until - now);
      tick();
    }
  }

  // ---- the ventilator
  template <typename Fill>
  void from_ventilator(Fill fill, std::uint64_t epoch = kEpoch) {
    proto::VentilatorToWorker message;
    message.set_epoch(epoch);
    fill(message);
    session.on_ventilator(message, now, out);
  }
  void welcome(std::uint32_t lane_port = kLanePort, std::uint64_t epoch = kEpoch,
               const std::string& sink = "tcp://sinkhost:5558") {
    from_ventilator(
        [&](proto::VentilatorToWorker& message) {
          proto::WorkerWelcome& welcome = *message.mutable_welcome();
          welcome.set_lane_port(lane_port);
          welcome.set_sink_endpoint(sink);
          welcome.set_sink_tcp_port(4444);
          welcome.set_heartbeat_ms(500);
        },
        epoch);
  }
  void say_unknown() {
    from_ventilator([](proto::VentilatorToWorker& message) { message.mutable_unknown(); });
  }
  void pong(proto::StopLevel level, proto::Status status = proto::STATUS_CANCELLED,
            const std::string& run = kRun) {
    from_ventilator([&](proto::VentilatorToWorker& message) {
      message.mutable_pong()->set_run_id(run);
      message.mutable_pong()->set_stop_level(level);
      message.mutable_pong()->set_stop_status(status);
    });
  }
  // The lane's first message.
  void begin_run(const std::string& run = kRun, std::uint32_t attempts = 1) {
    proto::Lane lane;
    lane.set_run_id(run);
    lane.set_epoch(kEpoch);
    lane.set_sequence(1);
    lane.mutable_spec()->set_run_id(run);
    lane.mutable_spec()->mutable_kind()->mutable_echo();
    lane.mutable_spec()->mutable_policy()->set_attempts(attempts);
    session.on_lane(std::move(lane), now, out);
  }
  static proto::Lane lane_of(std::uint64_t sequence, JobId first, std::size_t count) {
    proto::Lane lane;
    lane.set_run_id(kRun);
    lane.set_epoch(kEpoch);
    lane.set_sequence(sequence);
    lane.set_count(static_cast<std::uint32_t>(count));
    lane.set_first_job(first);
    for (std::size_t index = 0; index < count; ++index)
      append_to(*lane.mutable_inputs(), "input " + std::to_string(first + index));
    return lane;
  }
  void send_lane(proto::Lane lane) { session.on_lane(std::move(lane), now, out); }

  // ---- the sink
  void sink_welcome(std::uint32_t data_port = kDataPort, std::uint64_t epoch = 5) {
    proto::SinkToWorker message;
    message.set_epoch(epoch);
    message.mutable_welcome()->set_data_port(data_port);
    session.on_sink(message, now, out);
  }
  void durable(const std::vector<std::uint64_t>& sequences, const std::string& run = kRun) {
    proto::SinkToWorker message;
    message.set_epoch(5);
    message.mutable_durable()->set_run_id(run);
    for (const std::uint64_t sequence : sequences)
      message.mutable_durable()->add_sequences(sequence);
    session.on_sink(message, now, out);
  }

  // Everything up and nothing left to be said: the next results message has the sequence 2, the next lane
  // message too.
  void set_up(std::uint32_t attempts = 1) {
    tick();
    welcome();
    sink_welcome();
    begin_run(kRun, attempts);
    durable({1});
    forget();
  }
  void forget() {
    const std::vector<JobId> queued = out.queued;
    out = RecordingSessionOutbox{};
    out.queued = queued;
  }

  // ---- the executor
  static Completion completion_of(JobId id, JobResult result = JobResult::ok("payload")) {
    Completion completion;
    completion.id = id;
    completion.result = std::move(result);
    completion.queued = std::chrono::microseconds(30);
    completion.duration = std::chrono::microseconds(400);
    return completion;
  }
  // With the inputs that they came with.
  static proto::Results batch_of(std::vector<Completion> completions) {
    proto::Results batch;
    for (Completion& completion : completions) {
      const std::string input = "input " + std::to_string(completion.id);
      completion.input = input;
      append_to(batch, std::move(completion));
    }
    return batch;
  }
  // Each in a batch of its own.
  void complete(std::vector<Completion> completions) {
    std::vector<proto::Results> batches;
    for (Completion& completion : completions)
      batches.push_back(batch_of({std::move(completion)}));
    session.on_completions(std::move(batches), now, out);
  }
  void complete_range(JobSpan jobs) {
    std::vector<Completion> completions;
    for (JobId id = jobs.first; id < jobs.end; ++id)
      completions.push_back(completion_of(id));
    complete(std::move(completions));
  }
  // The last status that was sent; the others are forgotten.
  proto::WorkerStatus last_status() {
    proto::WorkerStatus status;
    bool any = false;
    for (const proto::WorkerToVentilator& message : out.to_ventilator.take_all()) {
      if (!message.has_status()) continue;
      status = message.status();
      any = true;
    }
    EXPECT_TRUE(any) << "no status was sent";
    return status;
  }

  Instant now = Instant{} + std::chrono::hours(1);
  RecordingSessionOutbox out;
  Session session;
};

}  // namespace fantail
