// A dispatcher with workers and a sink that behave, and do only what the test says: it moves the clock, lets
// workers take and finish jobs, and answers for the sink.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/job_ranges.h"
#include "tests/support/recording_outboxes.h"
#include "ventilator/dispatcher.h"

namespace fantail {

class DispatchScene {
 public:
  struct SceneWorker {
    std::uint64_t sequence = 1;  // the lane's first message carried the spec
    RangeSet active;
    RangeSet retained;  // finished, not yet durable
    std::uint64_t mean_job_ns = 0;
    bool draining = false;
    bool blocked = false;
  };

  static constexpr std::uint64_t kEpoch = 77;
  static constexpr Duration kBeat = std::chrono::seconds(1);

  static proto::RunSpec make_spec() {
    proto::RunSpec spec;
    spec.set_run_id("run-0123456789ab");
    spec.mutable_kind()->mutable_echo();
    return spec;
  }
  static DispatchPolicy make_policy() {
    DispatchPolicy policy;
    policy.kind = "echo";
    return policy;
  }

  explicit DispatchScene(DispatchPolicy policy = make_policy(), FormerLife former = {},
                         proto::RunSpec spec = make_spec())
      : dispatcher(policy, std::move(spec), kEpoch, now, std::move(former)) {}

  // ---- time
  // In steps, as a living process would tick; the named workers send their heartbeats meanwhile.
  void advance(Duration duration, const std::vector<WorkerId>& alive = {}) {
    const Instant until = now + duration;
    while (now < until) {
      now += std::min<Duration>(std::chrono::milliseconds(100), until - now);
      for (const WorkerId& id : alive)
        report(id);
      dispatcher.on_tick(now, out);
      if (sink_answers) answer();
    }
  }
  void tick() { dispatcher.on_tick(now, out); }

  // ---- the sink
  void open_sink() {
    tick();
    now += std::chrono::milliseconds(5);
    question();
    dispatcher.on_sink(from_sink([this](proto::SinkToVentilator& message) {
                         message.mutable_opened()->set_deadline_left_us(last_open.deadline_us());
                       }),
                       now, out);
  }
  template <typename Fill>
  proto::SinkToVentilator from_sink(Fill fill) const {
    proto::SinkToVentilator message;
    message.set_run_id(make_spec().run_id());
    message.set_epoch(sink_epoch);
    message.set_ventilator_epoch(kEpoch);
    fill(message);
    return message;
  }
  // The last question that was asked; 0: none yet.
  std::uint64_t question() {
    for (proto::VentilatorToSink& message : out.to_sink.take_all()) {
      if (message.has_sync()) last_sync = message.sync();
      if (message.has_open()) last_open = message.open();
      if (message.has_acknowledged()) ++acknowledged;
    }
    return last_sync.question();
  }
  const proto::RunSync& sync() {
    question();
    return last_sync;
  }
  // Answers the last question, if that was not done yet.
  void answer(const Spans& done = {}, proto::RunEnd end = proto::RUN_END_NONE) {
    const std::uint64_t asked = question();
    if (asked <= answered) return;
    answer_question(asked, done, end);
  }
  void answer_question(std::uint64_t asked, const Spans& done, proto::RunEnd end = proto::RUN_END_NONE) {
    const bool whole = last_sync.sink_epoch() != sink_epoch;
    answered = asked;
    for (const JobSpan& span : done)
      durable.insert(span);
    for (auto& [id, worker] : workers) {
      for (const JobSpan& span : done)
        worker.retained.erase(span);
    }
    const proto::SinkToVentilator message = from_sink([&](proto::SinkToVentilator& each) {
      proto::RunLog& log = *each.mutable_log();
      log = also;
      log.set_question(asked);
      log.set_whole(whole);
      log.set_end(end);
      if (end != proto::RUN_END_NONE)
        log.set_stop_level(end == proto::RUN_END_INTERRUPTED ? proto::STOP_QUEUED : proto::STOP_RUNNING);
      log.set_offset(last_sync.offset() + done.size());
      put_ranges(whole ? durable.spans() : done, log.mutable_done());
    });
    now += std::chrono::milliseconds(3);  // a round trip
    dispatcher.on_sink(message, now, out);
  }
  // A sink that knows these jobs as done, and only these.
  void restart_sink(const Spans& known) {
    ++sink_epoch;
    durable.clear();
    for (const JobSpan& span : known)
      durable.insert(span);
  }

  // ---- workers
  static proto::WorkerToVentilator hello_of(const WorkerId& id, std::uint32_t slots,
                                            const Spans& holding = {}) {
    proto::WorkerToVentilator message;
    message.set_worker_id(id);
    proto::WorkerHello& hello = *message.mutable_hello();
    hello.set_protocol_version(1);
    hello.set_name("host-" + id);
    hello.set_slots(slots);
    hello.set_async_slots(slots * 10);
    hello.add_kinds("files");
    hello.add_kinds("echo");
    hello.set_transport("tcp");
    hello.set_run_id(make_spec().run_id());
    put_ranges(holding, hello.mutable_holding());
    return message;
  }
  void say_hello(const WorkerId& id, std::uint32_t slots, const Spans& holding = {}) {
    dispatcher.on_worker(hello_of(id, slots, holding), now, out);
  }
  // Hello, and the lane comes up.
  void join(const WorkerId& id, std::uint32_t slots) {
    say_hello(id, slots);
    EXPECT_EQ(out.opened.take(), id);
    workers[id] = {};
    dispatcher.on_lane_open(id, now, out);
  }
  template <typename Fill>
  proto::WorkerToVentilator from_worker(const WorkerId& id, Fill fill) const {
    proto::WorkerToVentilator message;
    message.set_worker_id(id);
    message.set_epoch(kEpoch);
    fill(message);
    return message;
  }
  // Each worker takes the lane messages that were sent to it; returns them all.
  std::vector<RecordingDispatchOutbox::Batch> deliver() {
    std::vector<RecordingDispatchOutbox::Batch> batches = out.batches.take_all();
    for (const auto& batch : batches) {
      SceneWorker& worker = workers[batch.worker];
      EXPECT_EQ(batch.batch.sequence, worker.sequence + 1);
      worker.sequence = batch.batch.sequence;
      for (const JobId job : batch.jobs())
        EXPECT_TRUE(worker.active.insert(job)) << "given twice";
    }
    return batches;
  }
  // The jobs that these batches gave to the worker.
  static std::vector<JobId> jobs_for(const WorkerId& id,
                                     const std::vector<RecordingDispatchOutbox::Batch>& batches) {
    std::vector<JobId> jobs;
    for (const auto& batch : batches) {
      const std::vector<JobId> given = batch.jobs();
      if (batch.worker == id) jobs.insert(jobs.end(), given.begin(), given.end());
    }
    return jobs;
  }
  std::vector<JobId> deliver(const WorkerId& id) { return jobs_for(id, deliver()); }
  proto::WorkerToVentilator status_of(const WorkerId& id, bool complete) {
    const SceneWorker& worker = workers[id];
    return from_worker(id, [&](proto::WorkerToVentilator& message) {
      proto::WorkerStatus& status = *message.mutable_status();
      status.set_run_id(make_spec().run_id());
      status.set_received_sequence(worker.sequence);
      status.set_unfinished(worker.active.size());
      status.set_mean_job_ns(worker.mean_job_ns);
      status.set_draining(worker.draining);
      status.set_blocked(worker.blocked);
      status.set_complete(complete);
      if (!complete) return;
      RangeSet holding = worker.active;
      for (const JobSpan& span : worker.retained.spans())
        holding.insert(span);
      put_ranges(holding.spans(), status.mutable_holding());
    });
  }
  void report(const WorkerId& id, bool complete = true) {
    dispatcher.on_worker(status_of(id, complete), now, out);
  }
  // The worker finishes its first `count` jobs and says so; returns them.
  std::vector<JobId> finish(const WorkerId& id, std::uint64_t count = 1) {
    std::vector<JobId> finished;
    SceneWorker& worker = workers[id];
    while (finished.size() < count && !worker.active.empty()) {
      const JobId job = worker.active.take_first(1).first;
      worker.retained.insert(job);
      finished.push_back(job);
    }
    report(id, false);
    return finished;
  }
  void say_goodbye(const WorkerId& id) {
    dispatcher.on_worker(
        from_worker(id, [](proto::WorkerToVentilator& message) { message.mutable_goodbye(); }), now, out);
  }
  void stop(proto::RunEnd end, proto::StopLevel level) { dispatcher.stop(end, level, "because", now, out); }

  Instant now = Instant{} + std::chrono::hours(1);
  RecordingDispatchOutbox out;
  std::map<WorkerId, SceneWorker> workers;
  bool sink_answers = false;
  std::uint64_t sink_epoch = 500;
  RangeSet durable;
  proto::RunLog also;  // what every answer tells besides
  proto::RunSync last_sync;
  proto::RunOpen last_open;
  std::uint64_t answered = 0;
  int acknowledged = 0;
  Dispatcher dispatcher;
};

}  // namespace fantail
