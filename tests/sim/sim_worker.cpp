#include "tests/sim/sim_worker.h"

#include <algorithm>

#include "tests/sim/world.h"

namespace fantail::sim {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kUnsentMost = 1000;  // ZeroMQ's high-water mark

}  // namespace

void SimWorker::begin() {
  SessionPolicy policy;
  id_ = "worker-" + std::to_string(index_) + "-" +
        std::to_string(1000000 + (world_.planted(Bug::kWorkerIdStays) ? 0 : life()));
  id_.resize(16, '.');
  policy.worker_id = id_;
  policy.name = id_;
  policy.slots = slots_;
  policy.async_slots = slots_;
  policy.kinds = {"echo"};
  policy.transport = "tcp";
  session_.emplace(policy);
  from_ventilator_.clear();
  from_sink_.clear();
  from_lane_.clear();
  drains_ = sink_connected_ = data_connected_ = false;
  pull_.reset();
  results_ = Stream{};
  unsent_results_.clear();
  queue_.clear();
  completions_.clear();
  host_events_.clear();
  sent_.clear();
  finished_.clear();
  discarded_.clear();
  ahead_most_ = 1;
  strange_lane_ = false;
  welcomed_by_ = 0;
}

void SimWorker::die() {
  forget_running();
  world_.network.cut(results_);
  pull_.reset();
}

Instant SimWorker::turn() {
  const Instant now = world_.scheduler.now();
  if (drains_) {
    drains_ = false;
    session_->on_drain(now, *this);
  }
  receive(now);
  if (!host_events_.empty()) session_->on_host_events(std::exchange(host_events_, {}), *this);
  if (!completions_.empty()) {
    for (const proto::Results& completion : completions_) {
      if (!is_outcome(completion)) continue;  // the ventilator knows, or finds out
      finished_.insert(completion.jobs(0));
      world_.on_finished(completion.jobs(0));
    }
    session_->on_completions(std::exchange(completions_, {}), now, *this);
  }
  fill_slots();
  const Instant wake = session_->on_tick(now, *this);
  check_credit();
  if (session_->finished()) {
    world_.note("worker leaves", index_);
    exit();
    return kNever;
  }
  const bool more = !from_ventilator_.empty() || !from_sink_.empty() || !from_lane_.empty();
  return more ? now : wake;
}

void SimWorker::receive(Instant now) {
  for (int count = 0; count < kMessagesPerTurn && !from_ventilator_.empty(); ++count) {
    const auto message = std::move(from_ventilator_.front());
    from_ventilator_.pop_front();
    if (message->has_welcome()) welcomed_by_ = message->epoch();
    proto::VentilatorToWorker copy = *message;
    if (world_.planted(Bug::kObeysFormerLife)) copy.set_epoch(welcomed_by_);
    if (copy.pong().discarded_size() > 0) {
      note_discarded(copy.pong().discarded());
      if (world_.planted(Bug::kCancelsLosers))
        copy.mutable_pong()->mutable_cancelled()->Swap(copy.mutable_pong()->mutable_discarded());
    }
    session_->on_ventilator(copy, now, *this);
  }
  for (int count = 0; count < kMessagesPerTurn && !from_sink_.empty(); ++count) {
    const auto message = std::move(from_sink_.front());
    from_sink_.pop_front();
    session_->on_sink(*message, now, *this);
  }
  for (int count = 0; count < kMessagesPerTurn && !from_lane_.empty(); ++count) {
    const auto message = std::move(from_lane_.front());
    from_lane_.pop_front();
    session_->on_lane(proto::Lane(*message), now, *this);
  }
}

bool SimWorker::is_outcome(const proto::Results& completion) {
  if (discarded_.erase(completion.jobs(0))) return false;
  const bool failed = completion.statuses(0) == proto::STATUS_FAILED;
  if (failed && world_.plan.hedge) return false;
  return !failed || !completion.failures(0).passing() || completion.attempts(0) >= world_.plan.attempts;
}

// ---- what arrives

void SimWorker::receive_ventilator(std::uint64_t life,
                                   std::shared_ptr<const proto::VentilatorToWorker> message) {
  if (!alive(life)) return;
  from_ventilator_.push_back(std::move(message));
  wake();
}

void SimWorker::receive_sink(std::uint64_t life, std::shared_ptr<const proto::SinkToWorker> message) {
  if (!alive(life)) return;
  from_sink_.push_back(std::move(message));
  wake();
}

void SimWorker::drain() {
  drains_ = true;
  wake();
}

// ---- the lane

void SimWorker::connect_lane(std::uint32_t port) {
  close_lane();
  pull_ = Pull{};
  pull_->id = (life() << 32) | next_pull_++;
  pull_->port = port;
  try_connect(pull_->id);
}

void SimWorker::close_lane() {
  pull_.reset();
  from_lane_.clear();
}

void SimWorker::try_connect(std::uint64_t pull) {
  world_.scheduler.after(world_.random.between(Duration(microseconds(100)), milliseconds(60)), [this, pull] {
    if (!alive() || !pull_ || pull_->id != pull || pull_->connected) return;
    // The kernel takes the connection of a process that is stopped.
    if (world_.ventilator.alive() && world_.network.connects(kVentilator, party()) &&
        world_.ventilator.connect(pull_->port, index_, pull)) {
      pull_->connected = true;
    } else {
      try_connect(pull);
    }
  });
}

void SimWorker::lane_broken(std::uint64_t pull) {
  if (!pull_ || pull_->id != pull || !pull_->connected) return;
  pull_->connected = false;
  world_.network.cut(pull_->stream);
  try_connect(pull);
}

void SimWorker::send_lane(std::uint64_t pull, std::shared_ptr<const proto::Lane> message) {
  Stream& stream = pull_->stream;
  world_.note("lane message to worker: sequence", index_, message->sequence());
  const Instant arrival = world_.network.send(stream, kVentilator, party());
  world_.scheduler.at(arrival, [this, pull, cut = stream.cuts, arrival, message = std::move(message)] {
    if (!alive() || !pull_ || pull_->id != pull || !pull_->stream.carries(cut, arrival)) {
      return world_.count(Fault::kLaneMessageLost);
    }
    from_lane_.push_back(message);
    wake();
  });
}

// ---- control

void SimWorker::send_to_ventilator(const proto::WorkerToVentilator& message) {
  if (message.has_hello()) world_.note("worker says hello", index_);
  if (message.has_goodbye()) world_.note("worker says goodbye", index_);
  if (message.has_status()) {
    world_.note("worker tells: sequence, unfinished", message.status().received_sequence(),
                message.status().unfinished());
  }
  if (message.has_hello()) check_holding(message.hello().holding());
  if (message.has_status() && message.status().complete()) check_holding(message.status().holding());
  if (message.has_status() && message.status().mean_job_ns() > 0) {
    const std::uint64_t mean_ns = message.status().mean_job_ns();
    const std::uint64_t ahead = (mean_ns <= 2'000'000 ? 8'000'000 : 2'000'000) * slots_ / mean_ns;
    ahead_most_ = std::max(ahead_most_, std::min<std::uint64_t>(ahead, 16384));
  }
  world_.network.control(
      party(), kVentilator,
      [this, life = life(), copy = std::make_shared<const proto::WorkerToVentilator>(message)] {
        world_.deliver_to_ventilator(index_, life, copy);
      });
}

void SimWorker::send_to_sink(const proto::WorkerToSink& message) {
  if (!sink_connected_) return;
  world_.network.control(party(), kSink,
                         [this, life = life(), copy = std::make_shared<const proto::WorkerToSink>(message)] {
                           world_.sink.receive_worker(index_, life, copy);
                         });
}

void SimWorker::connect_sink(const std::string&, std::uint32_t) {
  sink_connected_ = true;
  data_connected_ = false;
}

void SimWorker::connect_sink_data(std::uint32_t) {
  data_connected_ = true;
  unsent_results_.clear();
}

// ---- results

void SimWorker::send_results(const std::shared_ptr<const std::string>& serialized) {
  if (!data_connected_) return;
  proto::Results results;
  results.ParseFromString(*serialized);
  std::vector<JobId>& jobs = sent_[results.sequence()];
  jobs.clear();
  for (std::uint32_t index = 0; index < results.count(); ++index)
    jobs.push_back(results.jobs_size() > 0 ? results.jobs(static_cast<int>(index))
                                           : results.first_job() + index);
  check_statuses(results);
  if (unsent_results_.size() < kUnsentMost) unsent_results_.push_back(*serialized);
  flush_results();
  if (!world_.planted(Bug::kForgetsSentResults)) return;
  auto durable = std::make_shared<proto::SinkToWorker>();
  durable->mutable_durable()->set_run_id(results.run_id());
  durable->mutable_durable()->add_sequences(results.sequence());
  from_sink_.push_back(std::move(durable));
}

// The socket keeps what it cannot send until somebody listens again.
void SimWorker::flush_results() {
  while (world_.sink.alive() && !unsent_results_.empty()) {
    auto results = std::make_shared<proto::Results>();
    results->ParseFromString(unsent_results_.front());
    unsent_results_.pop_front();
    const Instant arrival = world_.network.send(results_, party(), kSink);
    world_.scheduler.at(arrival, [this, cut = results_.cuts, arrival, sink = world_.sink.life(), results] {
      if (!results_.carries(cut, arrival)) return world_.count(Fault::kResultsLost);
      world_.sink.receive_results(sink, results);
    });
  }
}

void SimWorker::sink_up() {
  world_.scheduler.after(world_.random.between(Duration(milliseconds(1)), milliseconds(200)),
                         [this, life = life()] {
                           if (alive(life)) flush_results();
                         });
}

void SimWorker::cut_results() {
  world_.network.cut(results_);
}

// ---- checks

void SimWorker::check_holding(const google::protobuf::RepeatedPtrField<proto::JobRange>& holding) {
  if (world_.ledger.books.ended()) return;
  RangeSet held;
  for (const proto::JobRange& range : holding)
    held.insert({range.first(), range.first() + range.count()});
  for (const JobSpan& span : finished_.spans()) {
    for (const JobSpan& missing : held.missing_from(span)) {
      for (const JobSpan& lost : world_.ledger.done.missing_from(missing))
        world_.fail("worker " + id_ + " forgot the result of job " + std::to_string(lost.first) +
                    ", which is not durable");
    }
  }
}

void SimWorker::note_discarded(const google::protobuf::RepeatedPtrField<proto::JobRange>& jobs) {
  for (const proto::JobRange& range : jobs) {
    for (JobId job = range.first(); job < range.first() + range.count(); ++job) {
      if (running_.contains(job) && discarded_.insert(job)) world_.count(Fault::kDiscarded);
    }
  }
}

// A copy that is stopped since the other one was first has no outcome.
void SimWorker::check_statuses(const proto::Results& results) {
  if (world_.may_be_stopped() || world_.plan.group_jobs > 0) return;
  for (const int status : results.statuses()) {
    if (status == proto::STATUS_CANCELLED)
      world_.fail("worker " + id_ + " tells of a cancelled job and nobody cancelled any");
  }
}

void SimWorker::check_credit() {
  const std::uint64_t holds = queue_.size() + running_.size();
  // A hello that comes late, or again, tells of less than is held by then.
  const Plan& plan = world_.plan;
  const bool late_hellos = plan.reordered > 0 || plan.duplicated > 0 || plan.lost > 0;
  const std::uint64_t credit = (slots_ + ahead_most_) * (late_hellos ? 2 : 1);
  if (!strange_lane_ && holds > credit) {
    world_.fail("worker " + id_ + " holds " + std::to_string(holds) + " jobs, more than its credit of " +
                std::to_string(credit));
  }
}

}  // namespace fantail::sim
