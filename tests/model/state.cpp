#include "tests/model/state.h"

#include <algorithm>

#include "pipeline/state_hash.h"

namespace fantail::model {

namespace {

constexpr auto kVentilatorEpoch = StateHash::Epoch::kVentilator;
constexpr auto kSinkEpoch = StateHash::Epoch::kSink;

void add(StateHash& hash, const VentilatorNode& node, bool ages) {
  hash.set_now(node.now);
  const sim::SimSpool& spool = node.spool;
  hash.add(spool.frontier).add((spool.ended ? 1 : 0) + (spool.input_complete ? 2 : 0));
  for (const auto& [job, deaths] : spool.deaths)
    hash.add(job).add(deaths.total).add(deaths.alone);
  hash.add(static_cast<std::uint64_t>(spool.stop.level)).add(static_cast<std::uint64_t>(spool.stop.end));
  hash.add(node.exit_code ? 1 : 0).add(static_cast<std::uint64_t>(node.exit_code.value_or(0)));
  hash.add(node.dispatcher ? 0 : 1 + (ages ? node.down_for : 0));
  if (!node.dispatcher) return;
  for (const auto& [id, lane] : node.lanes)
    hash.add_name(id).add_name(lane.port).add(lane.open ? 1 : 0);
  for (const Peer& peer : node.peers)
    hash.add(peer.id.empty() ? 0 : 1).add_name(peer.id);
  hash.add_distance(node.asked, node.answered);
  node.dispatcher->add_to(hash);
}

void add(StateHash& hash, const SinkNode& node, bool ages) {
  hash.set_now(node.now);
  const sim::SimLedger& ledger = node.ledger;
  hash.add(ledger.has_run ? 1 : 0).add(ledger.rows.size()).add(ledger.without_rows.size());
  for (const auto& [job, row] : ledger.rows)
    hash.add(job).add(static_cast<std::uint64_t>(row.status));
  for (const auto& [job, status] : ledger.without_rows)
    hash.add(job).add(static_cast<std::uint64_t>(status));
  const proto::Books& books = ledger.books;
  hash.add(books.submitted()).add((books.closed() ? 1 : 0) + (books.ended() ? 2 : 0));
  hash.add(books.acknowledged() ? 1 : 0)
      .add(static_cast<std::uint64_t>(books.own_end()))
      .add_epoch(kVentilatorEpoch, books.ventilator_epoch());
  hash.add(static_cast<std::uint64_t>(books.facts().end()));
  hash.add(node.exit_code ? 1 : 0).add(static_cast<std::uint64_t>(node.exit_code.value_or(0)));
  hash.add(node.collector ? 0 : 1 + (ages ? node.down_for : 0));
  if (!node.collector) return;
  hash.add(node.staged.size()).add(node.ends ? 1 : 0);
  for (const auto& [job, row] : node.staged)
    hash.add(job).add(static_cast<std::uint64_t>(row.status));
  node.collector->add_to(hash);
}

void add(StateHash& hash, const WorkerNode& node, bool ages) {
  hash.set_now(node.now);
  hash.add(node.session ? 0 : 1 + (ages ? node.down_for : 0));
  if (!node.session) return;
  hash.add(node.lane_port == 0 ? 0 : 1).add_name(node.lane_port);
  hash.add((node.sink_connected ? 1 : 0) + (node.data_connected ? 2 : 0));
  hash.add_epoch(kSinkEpoch, node.sink_epoch);
  hash.add(static_cast<std::uint64_t>(node.stop)).add(node.jobs.size());
  for (const AcceptedJob& job : node.jobs)
    hash.add(job.id);
  hash.add(node.finished);
  node.session->add_to(hash);
}

bool is_from_worker(Channel channel) {
  return (channel >= Channel::kWorkerToVentilator && channel < Channel::kSinkToWorker) ||
         channel >= Channel::kResults;
}

// Numbers and questions only ever grow: how far they are behind the newest is what counts, as long as they
// are not behind what has been seen.
void add_counter(StateHash& hash, const State& state, const Message& message) {
  const VentilatorNode& ventilator = *state.ventilator;
  if (is_from_worker(message.channel)) {
    const Peer& peer = ventilator.peers[worker_of(message.channel)];
    hash.add(peer.id == id_of(worker_of(message.channel), message.life) && message.counter <= peer.number);
    return;
  }
  const bool answered = message.counter <= ventilator.answered;
  hash.add(message.counter <= state.sink->question).add(answered);
  if (!answered) hash.add_distance(ventilator.asked, message.counter);
}

void add(StateHash& hash, const State& state, const Message& message) {
  hash.add(static_cast<std::uint64_t>(message.channel)).add(message.content).add(message.event ? 1 : 0);
  hash.add_epoch(kVentilatorEpoch, message.ventilator_epoch).add_epoch(kSinkEpoch, message.sink_epoch);
  hash.add(message.port == 0 ? 0 : 1);
  if (message.port != 0) hash.add_name(message.port);
  if (message.life != 0) hash.add_name(id_of(worker_of(message.channel), message.life));
  if (message.counter != 0) add_counter(hash, state, message);
}

}  // namespace

Role receiver_of(Channel channel) {
  if (channel == Channel::kVentilatorToSink || channel >= Channel::kResults) return Role::kSink;
  if (channel == Channel::kSinkToVentilator) return Role::kVentilator;
  if (channel >= Channel::kWorkerToVentilator && channel < Channel::kSinkToWorker) return Role::kVentilator;
  return role_of_worker(worker_of(channel));
}

Channel of_worker(Channel first, std::size_t worker) {
  return static_cast<Channel>(static_cast<std::size_t>(first) + worker);
}

std::size_t worker_of(Channel channel) {
  return (static_cast<std::size_t>(channel) - static_cast<std::size_t>(Channel::kVentilatorToWorker)) %
         kWorkers;
}

Role role_of_worker(std::size_t worker) {
  return static_cast<Role>(static_cast<std::size_t>(Role::kWorker) + worker);
}

std::size_t worker_of(Role role) {
  return static_cast<std::size_t>(role) - static_cast<std::size_t>(Role::kWorker);
}

WorkerId id_of(std::size_t worker, std::uint64_t life) {
  return "worker-" + std::to_string(worker) + "-" + std::to_string(1000000 + life);
}

std::size_t worker_of(const WorkerId& id) {
  return static_cast<std::size_t>(id[7] - '0');
}

VentilatorNode& State::edit_ventilator() {
  if (ventilator.use_count() > 1) ventilator = std::make_shared<VentilatorNode>(*ventilator);
  return const_cast<VentilatorNode&>(*ventilator);
}

SinkNode& State::edit_sink() {
  if (sink.use_count() > 1) sink = std::make_shared<SinkNode>(*sink);
  return const_cast<SinkNode&>(*sink);
}

WorkerNode& State::edit_worker(std::size_t worker) {
  auto& node = workers[worker];
  if (node.use_count() > 1) node = std::make_shared<WorkerNode>(*node);
  return const_cast<WorkerNode&>(*node);
}

bool State::up(Role role) const {
  if (role == Role::kVentilator) return ventilator->dispatcher.has_value();
  if (role == Role::kSink) return sink->collector.has_value();
  return workers[worker_of(role)]->session.has_value();
}

void State::fail(const std::string& what) {
  if (failure.empty()) failure = what;
}

// What is sent to a process that is down goes nowhere; copies that come late do.
void State::send(Message message) {
  if (!up(receiver_of(message.channel))) return;
  messages.push_back(std::move(message));
}

void State::forget_messages_to(Role role) {
  std::erase_if(messages, [role](const Message& message) { return receiver_of(message.channel) == role; });
}

std::uint64_t State::hash(bool ages) const {
  StateHash hash(Instant{}, ages ? kStep : Duration{0});
  hash.set_newest(kVentilatorEpoch, ventilator->spool.epoch);
  hash.set_newest(kSinkEpoch, sink->ledger.epoch);
  for (const auto& worker : workers)
    hash.add_name(worker->id);
  add(hash, *ventilator, ages);
  add(hash, *sink, ages);
  for (const auto& worker : workers)
    add(hash, *worker, ages);
  if (sink->collector) hash.add_distance(ventilator->asked, sink->question);
  hash.add(cancelled ? 1 : 0).add(messages.size());
  for (const Message& message : messages)
    add(hash, *this, message);
  for (const Message& message : late)
    add(hash, *this, message);
  return hash.value();
}

}  // namespace fantail::model
