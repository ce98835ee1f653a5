#include "tests/model/state.h"

#include <algorithm>

#include "pipeline/state_hash.h"

namespace fantail::model {

namespace {

void add_budget(StateHash& hash, const Budget& budget) {
  hash.add(budget.crashes).add(budget.losses).add(budget.late).add(budget.cancels).add(budget.swaps);
}

std::uint64_t hash_of(const VentilatorNode& node) {
  StateHash hash(node.now, kStep);
  const sim::SimSpool& spool = node.spool;
  hash.add(spool.epoch).add(spool.frontier).add((spool.ended ? 1 : 0) + (spool.input_complete ? 2 : 0));
  for (const auto& [job, deaths] : spool.deaths)
    hash.add(job).add(deaths.total).add(deaths.alone);
  hash.add(static_cast<std::uint64_t>(spool.stop.level)).add(static_cast<std::uint64_t>(spool.stop.end));
  hash.add(node.exit_code ? 1 : 0).add(static_cast<std::uint64_t>(node.exit_code.value_or(0)));
  if (!node.dispatcher) return hash.add(node.down_for).value();
  for (std::size_t worker = 0; worker < kWorkers; ++worker) {
    const std::optional<Lane>& lane = node.lanes[worker];
    hash.add(node.peers[worker]).add(lane ? lane->port * 2 + (lane->open ? 1 : 0) : 0);
  }
  hash.add(node.next_port).add_distance(node.asked, node.answered);
  node.dispatcher->add_to(hash);
  return hash.value();
}

std::uint64_t hash_of(const SinkNode& node) {
  StateHash hash(node.now, kStep);
  const sim::SimLedger& ledger = node.ledger;
  hash.add(ledger.epoch).add(ledger.has_run ? 1 : 0).add(ledger.rows.size()).add(ledger.without_rows.size());
  for (const auto& [job, row] : ledger.rows)
    hash.add(job).add(static_cast<std::uint64_t>(row.status));
  for (const auto& [job, status] : ledger.without_rows)
    hash.add(job).add(static_cast<std::uint64_t>(status));
  const proto::Books& books = ledger.books;
  hash.add(books.submitted()).add((books.closed() ? 1 : 0) + (books.ended() ? 2 : 0));
  hash.add(books.acknowledged() ? 1 : 0)
      .add(static_cast<std::uint64_t>(books.own_end()))
      .add(books.ventilator_epoch());
  hash.add(static_cast<std::uint64_t>(books.facts().end()));
  hash.add(node.exit_code ? 1 : 0).add(static_cast<std::uint64_t>(node.exit_code.value_or(0)));
  if (!node.collector) return hash.add(node.down_for).value();
  hash.add(node.staged.size()).add(node.ends ? 1 : 0);
  for (const auto& [job, row] : node.staged)
    hash.add(job).add(static_cast<std::uint64_t>(row.status));
  node.collector->add_to(hash);
  return hash.value();
}

std::uint64_t hash_of(const WorkerNode& node) {
  StateHash hash(node.now, kStep);
  if (!node.session) return hash.add(node.life).add(node.down_for).value();
  hash.add(node.id).add(node.lane_port).add((node.sink_connected ? 1 : 0) + (node.data_connected ? 2 : 0));
  hash.add(node.sink_epoch).add(static_cast<std::uint64_t>(node.stop)).add(node.jobs.size());
  for (const AcceptedJob& job : node.jobs)
    hash.add(job.id).add(job.attempt);
  hash.add(node.finished);
  node.session->add_to(hash);
  return hash.value();
}

}  // namespace

Role receiver_of(Channel channel) {
  if (channel == Channel::kVentilatorToSink || channel >= Channel::kResults) return Role::kSink;
  if (channel == Channel::kSinkToVentilator) return Role::kVentilator;
  if (channel >= Channel::kWorkerToVentilator && channel < Channel::kSinkToWorker) return Role::kVentilator;
  return role_of_worker(
      (static_cast<std::size_t>(channel) - static_cast<std::size_t>(Channel::kVentilatorToWorker)) %
      kWorkers);
}

Channel of_worker(Channel first, std::size_t worker) {
  return static_cast<Channel>(static_cast<std::size_t>(first) + worker);
}

Role role_of_worker(std::size_t worker) {
  return static_cast<Role>(static_cast<std::size_t>(Role::kWorker) + worker);
}

VentilatorNode& State::edit_ventilator() {
  parts[static_cast<std::size_t>(Role::kVentilator)].known = false;
  if (ventilator.use_count() > 1) ventilator = std::make_shared<VentilatorNode>(*ventilator);
  return const_cast<VentilatorNode&>(*ventilator);
}

SinkNode& State::edit_sink() {
  parts[static_cast<std::size_t>(Role::kSink)].known = false;
  if (sink.use_count() > 1) sink = std::make_shared<SinkNode>(*sink);
  return const_cast<SinkNode&>(*sink);
}

WorkerNode& State::edit_worker(std::size_t worker) {
  parts[static_cast<std::size_t>(role_of_worker(worker))].known = false;
  auto& node = workers[worker];
  if (node.use_count() > 1) node = std::make_shared<WorkerNode>(*node);
  return const_cast<WorkerNode&>(*node);
}

bool State::up(Role role) const {
  if (role == Role::kVentilator) return ventilator->dispatcher.has_value();
  if (role == Role::kSink) return sink->collector.has_value();
  return workers[static_cast<std::size_t>(role) - static_cast<std::size_t>(Role::kWorker)]
      ->session.has_value();
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

std::uint64_t State::part(Role role) {
  Part& part = parts[static_cast<std::size_t>(role)];
  if (part.known) return part.hash;
  part.known = true;
  if (role == Role::kVentilator) return part.hash = hash_of(*ventilator);
  if (role == Role::kSink) return part.hash = hash_of(*sink);
  return part.hash =
             hash_of(*workers[static_cast<std::size_t>(role) - static_cast<std::size_t>(Role::kWorker)]);
}

// Numbers and questions only ever grow: how far they are behind the newest is what counts, and whether they
// are behind what the other side has seen.
std::uint64_t State::message_hash(const Message& message) const {
  StateHash hash(Instant{}, kStep);
  hash.add(static_cast<std::uint64_t>(message.channel)).add(message.content).add(message.port);
  hash.add(message.event ? 1 : 0).add(message.life);
  if (message.counter == 0) return hash.value();
  const Channel channel = message.channel;
  if (channel == Channel::kVentilatorToSink) {
    hash.add_distance(ventilator->asked, message.counter).add(message.counter <= sink->question ? 1 : 0);
  } else if (channel == Channel::kSinkToVentilator) {
    hash.add_distance(ventilator->asked, message.counter)
        .add(message.counter <= ventilator->answered ? 1 : 0);
  } else if (channel >= Channel::kWorkerToVentilator && channel < Channel::kSinkToWorker) {
    const auto worker =
        static_cast<std::size_t>(channel) - static_cast<std::size_t>(Channel::kWorkerToVentilator);
    hash.add_distance(workers[worker]->number, message.counter);
    hash.add(message.counter <= ventilator->heard[worker] ? 1 : 0);
  }
  return hash.value();
}

std::uint64_t State::hash() {
  StateHash hash(Instant{}, kStep);
  for (std::size_t role = 0; role < kRoles; ++role)
    hash.add(part(static_cast<Role>(role)));
  if (sink->collector) hash.add_distance(ventilator->asked, sink->question);
  add_budget(hash, budget);
  hash.add(cancelled ? 1 : 0).add(messages.size());
  if (budget.any_order) {
    // Only the order on each channel means something.
    std::array<std::uint64_t, kChannels> channels{};
    for (const Message& message : messages) {
      std::uint64_t& channel = channels[static_cast<std::size_t>(message.channel)];
      channel = StateHash().add(channel).add(message_hash(message)).value();
    }
    for (const std::uint64_t channel : channels)
      hash.add(channel);
  } else {
    for (const Message& message : messages)
      hash.add(message_hash(message));
  }
  std::vector<std::uint64_t> copies;
  for (const Message& message : late)
    copies.push_back(message_hash(message));
  std::sort(copies.begin(), copies.end());
  for (const std::uint64_t copy : copies)
    hash.add(copy);
  return hash.value();
}

}  // namespace fantail::model
