#include "sink/sink.h"

#include <csignal>
#include <map>

#include "pipeline/app/durable.h"
#include "pipeline/app/limits.h"
#include "pipeline/app/logging.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/app/signals.h"
#include "pipeline/net/poller.h"
#include "pipeline/ulid.h"
#include "sink/collector.h"
#include "sink/commit_schedule.h"
#include "sink/progress_display.h"
#include "sink/run_output.h"
#include "sink/run_recorder.h"
#include "sink/sink_addresses.h"

namespace fantail {

namespace {

constexpr int kMessagesPerTurn = 256;
constexpr Duration kTellWaiting = std::chrono::seconds(10);
constexpr int kDoneLingerMs = 1000;

class Sink : public CollectorOutbox {
 public:
  Sink(const SinkOptions& options, std::string state_dir, std::uint64_t epoch, Logger logger)
      : options_(options),
        state_dir_(std::move(state_dir)),
        log_(std::move(logger)),
        control_(context_, SocketType::kRouter),
        data_(context_, SocketType::kPull),
        progress_(options.output.progress, steady_now()) {
    policy_.epoch = epoch;
    policy_.wait = options.wait;
  }

  std::string start();
  int run(Signals& signals);

 private:
  // ---- CollectorOutbox
  void send_to_worker(const std::string& worker_id, const proto::SinkToWorker& message) override {
    const auto peer = workers_.find(worker_id);
    if (peer != workers_.end()) control_.send_to(peer->second, message.SerializeAsString());
  }
  void send_to_ventilator(const proto::SinkToVentilator& message) override {
    control_.send_to(ventilator_, message.SerializeAsString());
  }
  void begin_run(const proto::RunSpec& spec) override {
    log_->info("run {} begins", ulid_text(spec.run_id()));
  }
  void end_run() override { ended_ = true; }
  void on_event(const std::string& what) override { log_->info("{}", what); }

  std::string bind();
  void reset(Instant now);
  std::string take_up_last(Instant now);
  std::string take_up(const std::string& folder, RunLock lock, bool asked, Instant now);
  bool prepare_run(const proto::VentilatorToSink& message, Instant now);
  void on_signal(int signal, Instant now);
  void receive_control(Instant now);
  void on_ventilator(const proto::VentilatorToSink& message, Instant now);
  bool receive_data(Instant now);
  void commit_if_due(bool more, Instant now);
  void begin_commit(Instant now);
  bool end_commit(Instant now);
  bool commit(Instant now);
  bool settle(const std::optional<RunRecorder::Failure>& failure, Instant now);
  bool behind(Instant now) const { return recorder_ && !commits_.held(now) && recorder_->behind(); }
  void finish(Instant now);
  void tell_what_it_waits_for(Instant now);
  bool shows_progress() const {
    return collector_->run_open() && !collector_->run_ended() && !output_->is_silent();
  }
  bool committing() const { return recorder_ && recorder_->committing(); }
  bool is_full() const { return recorder_ && recorder_->staged_bytes() >= CommitSchedule::kStagedBytesMax; }
  // Not while there is no space, and not without bound while a commit takes long.
  bool takes_results(Instant now) const {
    const bool waits = commits_.failing() || is_full();
    return !commits_.held(now) && !(waits && (committing() || collector_->has_uncommitted()));
  }
  Ledger& ledger() { return recorder_ ? static_cast<Ledger&>(*recorder_) : no_ledger_; }

  const SinkOptions& options_;
  std::string state_dir_;
  Logger log_;
  SocketContext context_;
  Socket control_;
  Socket data_;
  std::vector<Endpoint> bound_;
  std::map<std::string, std::string> workers_;  // worker id -> routing id
  std::string ventilator_;                      // routing id of the one who spoke last
  ProgressDisplay progress_;
  proto::Results results_;  // reused
  CollectorPolicy policy_;
  bool ended_ = false;
  std::string fault_;
  Instant told_waiting_ = steady_now();
  CommitSchedule commits_;
  std::optional<int> exit_code_;
  NoLedger no_ledger_;

  // Of the run at hand.
  std::optional<RunOutput> output_;
  std::unique_ptr<RunRecorder> recorder_;
  std::optional<Collector> collector_;
};

std::string Sink::start() {
  if (std::string problem = bind(); !problem.empty()) return problem;
  reset(steady_now());
  std::string problem = output_->open().value_or(std::string());
  return problem.empty() ? take_up_last(steady_now()) : problem;
}

// No run at hand.
void Sink::reset(Instant now) {
  collector_.emplace(policy_, now);
  recorder_.reset();
  output_.emplace(options_.output);
  output_->before_output([this] { progress_.erase(); });
  commits_ = {};
}

std::string Sink::bind() {
  const auto addresses = bind_sockets(options_, control_, data_);
  if (const auto* problem = std::get_if<std::string>(&addresses)) return *problem;
  const SinkAddresses& there = std::get<SinkAddresses>(addresses);
  for (const auto& [control, results] : there.bound) {
    bound_.push_back(control);
    log_->info("listening on {}, for results on {}", control.text(), results.text());
    if (!control.is_local() && options_.parent == 0)
      log_->warn("{} is open to the network without keys (--insecure)", control.text());
  }
  policy_.data_port = there.data_port;
  policy_.tcp_port = there.tcp_port;
  return {};
}

// The last run of the same command that is not finished goes on at once: workers may have results for it. So
// does one whose ventilator may not know yet how it ended.
std::string Sink::take_up_last(Instant now) {
  for (const RunFolder& folder : list_run_folders(state_dir_)) {
    if (folder.finished || !LedgerFile::exists(folder.path)) continue;
    if (!options_.run_id.empty() && folder.run != options_.run_id) continue;
    auto lock = lock_run(folder.path);
    if (std::holds_alternative<std::string>(lock)) continue;  // another sink's
    std::string problem = take_up(folder.path, std::move(std::get<RunLock>(lock)), false, now);
    if (!problem.empty() || collector_->run_open()) return problem;
    recorder_.reset();
  }
  return {};
}

// asked: a ventilator wants this one, because it does not know how it ended.
std::string Sink::take_up(const std::string& folder, RunLock lock, bool asked, Instant now) {
  auto taken = RunRecorder::take_up(folder, std::move(lock), *output_);
  if (auto* problem = std::get_if<std::string>(&taken)) return *problem;
  recorder_ = std::move(std::get<std::unique_ptr<RunRecorder>>(taken));
  if (!recorder_->kept()) return {};  // nothing but its beginning was written: as good as new
  if (recorder_->kept()->books.acknowledged() && !asked) {
    recorder_->mark_finished();
    return {};
  }
  if (!recorder_->same_output() && !asked) return {};  // another command's
  if (std::string problem = recorder_->refuse_output(); !problem.empty()) return problem;
  if (!collector_->restore(*recorder_->kept(), recorder_->clock_shift(now), now))
    return folder + " was written by another release: finish the run with that one";
  if (const auto failure = recorder_->refill(*collector_->kind())) {
    reset(now);
    return failure->message;
  }
  ended_ = collector_->run_ended();
  log_->info("run {} goes on: {} of {} jobs are done", recorder_->run_text(), collector_->counts().done(),
             collector_->counts().submitted);
  return {};
}

int Sink::run(Signals& signals) {
  Poller poller;
  bool more = false;
  while (!collector_->exit_code() && !exit_code_) {
    Instant now = steady_now();
    Instant wake = collector_->on_tick(now, ledger(), *this);
    if (shows_progress()) wake = std::min(wake, progress_.next());
    if (collector_->has_uncommitted() && !committing()) wake = std::min(wake, commits_.earliest());
    if ((more && takes_results(now)) || behind(now)) wake = now;
    poller.clear();
    poller.add(control_);
    poller.add(signals.descriptor());
    if (takes_results(now)) poller.add(data_);
    if (recorder_) poller.add(recorder_->descriptor());
    poller.wait_until(wake);
    now = steady_now();
    while (const auto signal = signals.next())
      on_signal(*signal, now);
    end_commit(now);
    if (behind(now)) settle(recorder_->catch_up(*collector_->kind()), now);
    if (takes_results(now)) more = receive_data(now);
    commit_if_due(more, now);
    receive_control(now);
    commit_if_due(more, now);
    if (ended_) finish(now);
    if (shows_progress() && progress_.due(now)) progress_.show(collector_->summary(now), now);
    tell_what_it_waits_for(now);
  }
  if (recorder_ && commit(steady_now()) && collector_->acknowledged()) recorder_->mark_finished();
  log_->info("leaving: {}", collector_->dropped().text());
  control_.raw().set(zmq::sockopt::linger, kDoneLingerMs);
  const int code = exit_code_ ? *exit_code_ : *collector_->exit_code();
  if (!collector_->run_open() && code == kExitNoPeer) {
    log_->error("no ventilator came in time: start one with `fantail ventilator --sink {} …`",
                bound_.front().text());
  }
  return code;
}

// SIGTERM suspends: what is committed stays, and the next start goes on from there.
void Sink::on_signal(int signal, Instant now) {
  if (signal == SIGINT) collector_->on_interrupt(now, *this);
  if (signal == SIGTERM) exit_code_ = kExitSuspended;
}

void Sink::receive_control(Instant now) {
  Frame frame;
  proto::ToSink message;
  for (int count = 0; count < kMessagesPerTurn && control_.receive(frame); ++count) {
    const bool parses = message.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()));
    if (parses && message.has_ventilator() && message.ventilator().run_id().size() == 16) {
      ventilator_ = frame.from();
      on_ventilator(message.ventilator(), now);
    } else if (parses && message.has_worker() && message.worker().worker_id().size() == 16) {
      workers_[message.worker().worker_id()] = frame.from();
      collector_->on_worker(message.worker(), *this);
    } else {
      collector_->on_unreadable();
    }
  }
}

void Sink::on_ventilator(const proto::VentilatorToSink& message, Instant now) {
  const bool opens = message.has_open();
  if (opens && collector_->run_open() && collector_->run_id() != message.run_id() &&
      collector_->abandoned(now)) {
    log_->warn("run {} makes room for another one: its ventilator is away", recorder_->run_text());
    commit(now);
    reset(now);
    if (const auto problem = output_->open()) log_->error("{}", *problem);
  }
  if (opens && !collector_->run_open() && !prepare_run(message, now)) return;
  const bool had_run = collector_->run_open();
  collector_->on_ventilator(message, now, ledger(), *this);
  if (had_run) return;
  if (!collector_->run_open()) {
    recorder_.reset();  // it refused
  } else if (const auto failure = recorder_->begin(*collector_->kind())) {
    settle(failure, now);
  }
}

// Makes the run's folder, or takes up what is there. False: the ventilator was told why not.
bool Sink::prepare_run(const proto::VentilatorToSink& message, Instant now) {
  std::string problem;
  if (RunRecorder::exists(state_dir_, message.run_id())) {
    const std::string folder = run_folder_path(state_dir_, ulid_text(message.run_id()));
    auto lock = lock_run(folder);
    auto* reason = std::get_if<std::string>(&lock);
    problem = reason != nullptr ? *reason : take_up(folder, std::move(std::get<RunLock>(lock)), true, now);
    if (problem.empty() && collector_->run_open()) return true;
  } else {
    auto made = RunRecorder::create(state_dir_, message.open(), *output_, options_.output.keep);
    if (auto* reason = std::get_if<std::string>(&made)) {
      problem = *reason;
    } else {
      recorder_ = std::move(std::get<std::unique_ptr<RunRecorder>>(made));
      prune_run_folders(state_dir_, options_.keep_runs);
    }
  }
  if (problem.empty()) return true;
  recorder_.reset();
  log_->error("{}", problem);
  proto::SinkToVentilator answer;
  answer.set_run_id(message.run_id());
  answer.set_epoch(policy_.epoch);
  answer.set_ventilator_epoch(message.epoch());
  answer.mutable_refused()->set_reason(problem);
  send_to_ventilator(answer);
  return false;
}

// True: there may be more.
bool Sink::receive_data(Instant now) {
  Frame frame;
  for (int count = 0; count < kMessagesPerTurn; ++count) {
    if (!data_.receive(frame)) return false;
    const bool parses = results_.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()));
    parses ? collector_->on_results(results_, now, ledger()) : collector_->on_unreadable();
    if (is_full()) break;
  }
  return true;
}

// The next commit covers what comes while one lasts.
void Sink::commit_if_due(bool more, Instant now) {
  if (!recorder_ || commits_.held(now) || committing()) return;
  if (!collector_->has_uncommitted() && !recorder_->has_output_fault()) return;
  if (commits_.due(more, is_full(), now)) begin_commit(now);
}

void Sink::begin_commit(Instant now) {
  if (output_->writes_to_terminal()) progress_.erase();
  commits_.on_begin(now);
  collector_->begin_commit();
  recorder_->begin_commit(*collector_, now);
}

// Workers and ventilator hear of what was recorded once it is durable. False: it is not.
bool Sink::end_commit(Instant now) {
  const auto committed = recorder_ ? recorder_->take_committed() : std::nullopt;
  if (!committed) return true;
  const bool durable = settle(committed->failure, now);
  durable ? collector_->on_committed(now, *this) : collector_->on_not_committed();
  return durable;
}

// All that was recorded, before anything else goes on. False: it is not durable.
bool Sink::commit(Instant now) {
  if (!recorder_) return true;
  if (committing()) {
    recorder_->wait_for_commit();
    if (!end_commit(now)) return false;
  }
  begin_commit(now);
  recorder_->wait_for_commit();
  return end_commit(now);
}

// False: the same has to be tried again, or the process ends.
bool Sink::settle(const std::optional<RunRecorder::Failure>& failure, Instant now) {
  if (failure && failure->problem != RunRecorder::Problem::kOutput) {
    if (commits_.hold(failure->message, now)) log_->error("{}", failure->message);
    // Where only the ventilator's acknowledgement could not be recorded, the run is over all the same.
    if (failure->problem == RunRecorder::Problem::kFatal && !collector_->exit_code())
      exit_code_ = kExitInfrastructure;
    return false;
  }
  if (commits_.release()) log_->warn("{}: results are taken in again", recorder_->run_text());
  if (!failure || !fault_.empty()) return true;
  // Rows cannot be written any more, for another reason than space: nobody would get the rest.
  fault_ = failure->message;
  log_->error("{}", fault_);
  collector_->on_fault(fault_, now, *this);
  return true;
}

void Sink::finish(Instant now) {
  progress_.erase();
  if ((collector_->has_uncommitted() || committing()) && (commits_.held(now) || !commit(now))) return;
  if (recorder_ && recorder_->behind()) return;
  ended_ = false;
  const auto error = output_->finish(collector_->summary(now), *collector_->kind(), collector_->digest());
  if (error && fault_.empty()) {
    fault_ = *error;
    log_->error("{}", fault_);
    collector_->on_output_failed(fault_);
  }
  collector_->on_report_written(now, *this);
}

void Sink::tell_what_it_waits_for(Instant now) {
  if (collector_->run_open() || now < told_waiting_ + kTellWaiting) return;
  told_waiting_ = now;
  log_->warn("waiting for a ventilator: start one with `fantail ventilator --sink {} KIND …`",
             bound_.front().text());
}

}  // namespace

int run_sink(const SinkOptions& options) {
  Signals signals;
  raise_descriptor_limit();
  keep_freed_memory();
  std::string error;
  const std::string state_dir = make_state_dir(options.common.state_dir, "sink", error);
  if (state_dir.empty()) return complain("fantail sink", error, kExitInfrastructure);
  const auto epoch = next_epoch(state_dir);
  if (const auto* problem = std::get_if<std::string>(&epoch))
    return complain("fantail sink", *problem, kExitInfrastructure);
  Sink sink(options, state_dir, std::get<std::uint64_t>(epoch),
            make_logger("sink", options.common.log_level));
  const std::string problem = sink.start();
  return problem.empty() ? sink.run(signals) : complain("fantail sink", problem, kExitInfrastructure);
}

}  // namespace fantail
