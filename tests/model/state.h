// One state of the model: the three deciders, what their shells add, what is stored and what is under way.
// Parts are shared between states until one of them changes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sink/collector.h"
#include "tests/sim/storage.h"
#include "ventilator/dispatcher.h"
#include "worker/session.h"

namespace fantail::model {

inline constexpr std::size_t kWorkers = 2;
// Every timer of the deciders that repeats fires at least this often.
inline constexpr Duration kStep = std::chrono::seconds(1);
inline constexpr std::uint32_t kSinkDataPort = 1;
// Steps after which a process that died is there again: its death has been noticed by then.
inline constexpr std::uint32_t kDownMost = 4;
inline constexpr Instant kBeginning = Instant{} + std::chrono::hours(1);

// One direction between two processes. A worker's come twice: add its index.
enum class Channel : std::uint8_t {
  kVentilatorToSink,
  kSinkToVentilator,
  kVentilatorToWorker,
  kWorkerToVentilator = kVentilatorToWorker + kWorkers,
  kSinkToWorker = kWorkerToVentilator + kWorkers,
  kLane = kSinkToWorker + kWorkers,
  kResults = kLane + kWorkers,
  kCount = kResults + kWorkers
};
inline constexpr std::size_t kChannels = static_cast<std::size_t>(Channel::kCount);

enum class Role : std::uint8_t { kVentilator, kSink, kWorker, kCount = kWorker + kWorkers };
inline constexpr std::size_t kRoles = static_cast<std::size_t>(Role::kCount);

Role receiver_of(Channel channel);
Channel of_worker(Channel first, std::size_t worker);
std::size_t worker_of(Channel channel);  // not for those between ventilator and sink
Role role_of_worker(std::size_t worker);
std::size_t worker_of(Role role);
std::size_t worker_of(const WorkerId& id);
WorkerId id_of(std::size_t worker, std::uint64_t life);

struct Message {
  Channel channel = Channel::kCount;
  // A stream's event instead of a message: a lane was reached, the sink's connection closed.
  bool event = false;
  std::uint32_t port = 0;  // of the lane
  std::uint64_t life = 0;  // of the worker that sent it or is to get it
  // What the hash takes relatively: message number or question, and the epochs that it names.
  std::uint64_t counter = 0;
  std::uint64_t ventilator_epoch = 0;
  std::uint64_t sink_epoch = 0;
  std::uint64_t content = 0;  // hash of the rest
  std::shared_ptr<const std::string> bytes;
};

struct Lane {
  std::uint32_t port = 0;
  bool open = false;
};

// A worker's incarnation that the ventilator heard last, and its highest message number.
struct Peer {
  std::string id;
  std::uint64_t number = 0;
};

struct VentilatorNode {
  std::optional<Dispatcher> dispatcher;  // absent: down
  sim::SimSpool spool;
  std::map<WorkerId, Lane> lanes;
  std::array<Peer, kWorkers> peers;
  std::uint32_t next_port = 1;
  std::uint64_t asked = 0;  // the last question's number
  std::uint64_t answered = 0;
  std::uint32_t down_for = 0;
  std::optional<int> exit_code;
  Instant now = kBeginning;
};

struct SinkNode {
  std::optional<Collector> collector;
  sim::SimLedger ledger;
  std::map<JobId, sim::SimRow> staged;
  bool ends = false;  // the report is due after the commit
  std::uint64_t question = 0;
  std::uint32_t down_for = 0;
  std::optional<int> exit_code;
  Instant now = kBeginning;
};

struct WorkerNode {
  std::optional<Session> session;
  std::uint64_t life = 0;
  std::string id;
  std::uint32_t lane_port = 0;  // 0: closed
  bool sink_connected = false;
  bool data_connected = false;
  std::uint64_t sink_epoch = 0;   // of the last welcome
  std::vector<AcceptedJob> jobs;  // the first one is in the slot
  StopReason stop = StopReason::kNone;
  std::map<std::uint64_t, JobId> sent;  // by result sequence
  RangeSet finished;
  std::uint64_t number = 0;  // of the last message
  std::uint32_t down_for = 0;
  Instant now = kBeginning;
};

// Faults that may still happen.
struct Budget {
  std::uint32_t crashes = 0;
  std::uint32_t losses = 0;
  std::uint32_t copies = 0;
  std::uint32_t cancels = 0;
};

struct State {
  std::shared_ptr<const VentilatorNode> ventilator;
  std::shared_ptr<const SinkNode> sink;
  std::array<std::shared_ptr<const WorkerNode>, kWorkers> workers;
  std::vector<Message> messages;  // in the order in which they were sent
  std::vector<Message> late;      // copies
  Budget budget;
  bool fine = false;  // every interleaving and every age, see search.h
  bool cancelled = false;
  std::string failure;

  VentilatorNode& edit_ventilator();
  SinkNode& edit_sink();
  WorkerNode& edit_worker(std::size_t worker);
  bool up(Role role) const;
  void fail(const std::string& what);
  void send(Message message);
  void forget_messages_to(Role role);  // it is gone, and its sockets
  // Of all but the budget. Of instants, their ages in steps; else only whether they are overdue.
  std::uint64_t hash(bool ages) const;
  std::uint64_t hash() const { return hash(fine); }
};

}  // namespace fantail::model
