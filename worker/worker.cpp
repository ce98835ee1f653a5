#include "worker/worker.h"

#include <fcntl.h>

#include <csignal>
#include <memory>

#include "pipeline/app/limits.h"
#include "pipeline/app/logging.h"
#include "pipeline/app/signals.h"
#include "pipeline/net/poller.h"
#include "pipeline/ulid.h"
#include "worker/agent.h"
#include "worker/async_executor.h"
#include "worker/child/orphans.h"
#include "worker/processors/processors.h"
#include "worker/session.h"
#include "worker/slot_link.h"
#include "worker/thread_executor.h"

namespace fantail {

std::optional<Endpoint> sink_as_seen_from(const Endpoint& ventilator, const Endpoint& sink,
                                          std::uint32_t sink_tcp_port) {
  if (ventilator.is_local() || !sink.is_local()) return sink;
  if (sink.transport == Endpoint::Transport::kTcp) return sink.with_host(ventilator.host);
  if (sink_tcp_port == 0) return std::nullopt;
  return Endpoint{Endpoint::Transport::kTcp, ventilator.host, static_cast<std::uint16_t>(sink_tcp_port)};
}

namespace {

constexpr Duration kSayUnreachable = std::chrono::seconds(3);
constexpr Duration kTellWaiting = std::chrono::seconds(10);
constexpr int kMessagesPerTurn = 256;
constexpr int kGoodbyeLingerMs = 200;  // a ventilator that is there takes it at once

class Worker : public SessionOutbox {
 public:
  Worker(const WorkerOptions& options, Logger logger)
      : options_(options),
        log_(std::move(logger)),
        control_(context_, SocketType::kDealer),
        threads_(options.slots.slots,
                 [setting = make_setting(options)](const proto::RunSpec& run) {
                   return make_sync_processor(run, setting);
                 }),
        loop_(options.slots.async_slots, options.slots.slots),
        session_(make_policy(options)) {
    if (!options.slots_from) return;
    fcntl(*options.slots_from, F_SETFD, FD_CLOEXEC);
    link_.emplace(FileDescriptor(*options.slots_from));
    threads_.allot(0);
    loop_.allot(0);
  }

  // The process's exit code; empty: the ventilator serves several runs.
  std::optional<int> run(Signals& signals);

 private:
  static SessionPolicy make_policy(const WorkerOptions& options) {
    SessionPolicy policy;
    policy.worker_id = new_ulid();
    policy.name = process_name();
    policy.slots = options.slots.slots;
    policy.async_slots = options.slots.async_slots;
    policy.kinds = kinds_of(options);
    policy.transport = options.ventilator->transport_name();
    policy.stay = options.stay;
    return policy;
  }

  static ProcessorSetting make_setting(const WorkerOptions& options) {
    return {options.slots.slowdown, options.ventilator->is_local() ? std::string() : process_name(),
            kinds_of(options)};
  }

  static std::vector<std::string> kinds_of(const WorkerOptions& options) {
    const bool over_network = options.ventilator->transport == Endpoint::Transport::kTcp;
    return options.slots.kinds.empty() ? usual_kinds(over_network) : options.slots.kinds;
  }

  // ---- SessionOutbox
  void connect_lane(std::uint32_t port) override {
    lane_endpoint_ = options_.ventilator->with_port(port);
    lane_.emplace(context_, SocketType::kPull);
    lane_->connect(lane_endpoint_);
    sockets_changed_ = true;
  }
  void close_lane() override {
    lane_.reset();
    sockets_changed_ = true;
  }
  void connect_sink(const std::string& endpoint, std::uint32_t tcp_port) override;
  void connect_sink_data(std::uint32_t port) override {
    sink_data_endpoint_ = sink_endpoint_.with_port(port);
    results_.emplace(context_, SocketType::kPush);
    results_->connect(sink_data_endpoint_);
  }
  void send_to_ventilator(const proto::WorkerToVentilator& message) override {
    control_.send(message.SerializeAsString());
  }
  void send_to_sink(const proto::WorkerToSink& message) override {
    proto::ToSink envelope;
    *envelope.mutable_worker() = message;
    if (sink_) sink_->send(envelope.SerializeAsString());
  }
  void send_results(const std::shared_ptr<const std::string>& serialized) override {
    if (results_) results_->send(serialized);
  }
  void set_run(const proto::RunSpec& spec) override {
    const Execution execution = execution_of(spec.kind());
    executor_ = execution == Execution::kEventLoop ? static_cast<Executor*>(&loop_) : &threads_;
    if (runs_commands(spec.kind())) adopt_orphans();
    executor_->set_run(spec);
    log_->info("run {}", ulid_text(spec.run_id()));
  }
  void start(JobSlice jobs) override { executor_->start(std::move(jobs)); }
  std::vector<JobId> drop_queued() override { return executor_->drop_queued(); }
  void stop_running(StopReason reason) override { executor_->stop_running(reason); }
  std::vector<JobId> cancel(const RangeSet& jobs) override { return executor_->cancel(jobs); }
  void permit(JobId job, const std::string& host) override { executor_->permit(job, host); }
  std::uint64_t running() override { return executor_->load().running; }
  void output_durable(JobId job, std::uint64_t bytes) override { executor_->output_durable(job, bytes); }
  void on_event(const std::string& what) override { log_->info("{}", what); }

  void receive(Instant now);
  void collect(Instant now);
  void share_slots();
  void tell_what_it_waits_for(Instant now);

  const WorkerOptions& options_;
  Logger log_;
  SocketContext context_;
  Socket control_;
  Endpoint lane_endpoint_;
  std::optional<Socket> lane_;
  Endpoint sink_endpoint_;
  std::optional<Socket> sink_;
  Endpoint sink_data_endpoint_;
  std::optional<Socket> results_;
  bool sockets_changed_ = true;
  ThreadExecutor threads_;
  AsyncExecutor loop_;
  Executor* executor_ = &threads_;
  proto::Lane lane_message_;  // reused
  bool had_ventilator_ = false;
  Session::WaitsFor waits_for_ = Session::WaitsFor::kNothing;
  Instant waits_since_{};
  Instant told_at_{};
  Session session_;
  bool serves_ = false;
  std::optional<SlotLink> link_;  // to the process that shares the slots among runs
  std::uint32_t allotted_ = 0;
  SlotDemand demand_;
  SlotDemand told_demand_;
};

void Worker::connect_sink(const std::string& endpoint, std::uint32_t tcp_port) {
  const std::optional<Endpoint> named = parse_endpoint(endpoint);
  std::optional<Endpoint> seen;
  if (options_.sink) {
    seen = options_.sink;
  } else if (named) {
    seen = sink_as_seen_from(*options_.ventilator, *named, tcp_port);
  }
  if (!seen) {
    log_->error(
        "the ventilator finds its sink at {}, which leads nowhere from here: start the sink with --bind "
        "tcp://*:5558, or tell this worker by --sink",
        endpoint);
    return;
  }
  const std::string refusal = refuse_insecure(*seen, options_.common.insecure);
  if (!refusal.empty()) {
    log_->error("the sink at {}", refusal);
    return;
  }
  sink_endpoint_ = *seen;
  sink_.emplace(context_, SocketType::kDealer);
  sink_->connect(sink_endpoint_);
  results_.reset();
  sockets_changed_ = true;
}

std::optional<int> Worker::run(Signals& signals) {
  control_.connect(*options_.ventilator);
  log_->info("worker with {} slots, looking for the ventilator at {}", options_.slots.slots,
             options_.ventilator->text());
  const Instant started = steady_now();
  waits_since_ = started;
  Poller poller;
  while (!session_.finished() && !serves_) {
    Instant now = steady_now();
    const Instant wake = std::min(session_.on_tick(now, *this), executor_->stop_overdue(now));
    if (session_.finished()) break;
    if (sockets_changed_) {
      sockets_changed_ = false;
      poller.clear();
      poller.add(control_);
      if (lane_) poller.add(*lane_);
      if (sink_) poller.add(*sink_);
      poller.add(threads_.descriptor());
      poller.add(loop_.descriptor());
      poller.add(signals.descriptor());
      if (link_) poller.add(link_->descriptor());
    }
    poller.wait_until(wake);
    now = steady_now();
    while (const auto signal = signals.next()) {
      if (*signal == SIGCHLD) reap_orphans();
      if (*signal != SIGTERM && *signal != SIGINT) continue;
      if (session_.draining()) return *signal == SIGINT ? 130 : 143;  // asked twice: leave now
      log_->info("draining: running jobs finish, results are handed over");
      session_.on_drain(now, *this);
    }
    receive(now);
    collect(now);
    share_slots();
    tell_what_it_waits_for(now);
    if (!had_ventilator_ && options_.wait != Duration::max() && now >= started + options_.wait) {
      log_->error("no ventilator came in time: start one with `fantail ventilator --bind {} …`",
                  options_.ventilator->text());
      return kExitNoPeer;
    }
  }
  if (serves_) return std::nullopt;
  log_->info("leaving: {}", session_.dropped().text());
  // Where no ventilator knows it nobody waits for its goodbye.
  const bool known = session_.waits_for() != Session::WaitsFor::kVentilator;
  if (known) control_.raw().set(zmq::sockopt::linger, kGoodbyeLingerMs);
  return 0;
}

void Worker::receive(Instant now) {
  Frame frame;
  proto::VentilatorToWorker control;
  for (int count = 0; count < kMessagesPerTurn && control_.receive(frame); ++count) {
    if (control.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) {
      serves_ = serves_ || (control.has_served() && !link_);
      session_.on_ventilator(control, now, *this);
    } else {
      session_.on_unreadable();
    }
  }
  proto::SinkToWorker durable;
  for (int count = 0; sink_ && count < kMessagesPerTurn && sink_->receive(frame); ++count) {
    if (durable.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) {
      session_.on_sink(durable, now, *this);
    } else {
      session_.on_unreadable();
    }
  }
  for (int count = 0; lane_ && count < kMessagesPerTurn && lane_->receive(frame); ++count) {
    if (lane_message_.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) {
      session_.on_lane(std::move(lane_message_), now, *this);
    } else {
      session_.on_unreadable();
    }
  }
}

void Worker::collect(Instant now) {
  std::vector<proto::Results> completions;
  std::vector<proto::HostEvent> events;
  executor_->collect(completions, events);
  if (!events.empty()) session_.on_host_events(std::move(events), *this);
  std::vector<proto::JobOutput> outputs = executor_->collect_outputs();
  if (!outputs.empty()) session_.on_outputs(std::move(outputs), now, *this);
  if (!completions.empty()) session_.on_completions(std::move(completions), now, *this);
}

// What it uses is never more than the last allotment seen allows, or what ran before that came.
void Worker::share_slots() {
  if (!link_) return;
  if (const auto allotment = link_->last_allotment()) {
    demand_.allotment = allotment->number;
    allotted_ = allotment->slots;
    threads_.allot(allotment->slots);
    loop_.allot(allotment->slots);
  }
  const Executor::Load load = executor_->load();
  const bool asynchronous = executor_ == &loop_;
  const std::uint64_t slots = asynchronous ? options_.slots.async_slots : options_.slots.slots;
  demand_.asynchronous = asynchronous ? 1 : 0;
  demand_.wanted = static_cast<std::uint32_t>(std::min(load.queued + load.running, slots));
  // Short jobs come and go: the other end need not hear of each.
  demand_.used = load.running > allotted_ ? static_cast<std::uint32_t>(load.running) : 0;
  if (demand_ != told_demand_ && link_->tell(demand_)) told_demand_ = demand_;
}

void Worker::tell_what_it_waits_for(Instant now) {
  const Session::WaitsFor waits_for = session_.waits_for();
  if (waits_for != Session::WaitsFor::kVentilator) had_ventilator_ = true;
  if (waits_for != waits_for_) {
    waits_for_ = waits_for;
    waits_since_ = now;
    told_at_ = Instant{};
  }
  if (waits_for == Session::WaitsFor::kNothing || now < waits_since_ + kSayUnreachable) return;
  if (told_at_ != Instant{} && now < told_at_ + kTellWaiting) return;
  told_at_ = now;
  switch (waits_for) {
    case Session::WaitsFor::kVentilator:
      if (!session_.refusal().empty()) {
        log_->warn("the ventilator has no place for this worker: {}", session_.refusal());
      } else {
        log_->warn(
            "waiting for the ventilator at {}: start it there with `fantail ventilator --bind … KIND …`, or "
            "open "
            "that port",
            options_.ventilator->text());
      }
      break;
    case Session::WaitsFor::kLane:
      log_->warn("cannot reach {}: open that port of the ventilator's --worker-ports", lane_endpoint_.text());
      break;
    case Session::WaitsFor::kSink:
      log_->warn("waiting for the sink at {}: start it with `fantail sink --bind …`, or open that port",
                 sink_endpoint_.text());
      break;
    case Session::WaitsFor::kSinkData:
      log_->warn("cannot reach {}: open that port of the sink (--data-port)", sink_data_endpoint_.text());
      break;
    case Session::WaitsFor::kNothing:
      break;
  }
}

}  // namespace

int run_worker(const WorkerOptions& options) {
  Signals signals;
  raise_descriptor_limit();
  keep_freed_memory();
  const Logger logger = make_logger("worker", options.common.log_level);
  for (;;) {
    if (const auto code = Worker(options, logger).run(signals)) return *code;
    if (const auto code = run_agent(options, signals, logger)) return *code;
  }
}

}  // namespace fantail
