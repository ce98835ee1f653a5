// A trace in words.
#include "tests/model/actions.h"
#include "tests/model/shells.h"

namespace fantail::model {

namespace {

using Kind = Action::Kind;

std::string name_of(Role role) {
  if (role == Role::kVentilator) return "ventilator";
  if (role == Role::kSink) return "sink";
  return "worker " + std::to_string(static_cast<std::size_t>(role) - static_cast<std::size_t>(Role::kWorker));
}

std::string ranges(const google::protobuf::RepeatedPtrField<proto::JobRange>& jobs) {
  std::string text;
  for (const proto::JobRange& range : jobs) {
    for (JobId job = range.first(); job < range.first() + range.count(); ++job)
      text += " " + std::to_string(job);
  }
  return text.empty() ? " none" : text;
}

std::string of_worker_to_ventilator(const std::string& bytes) {
  proto::WorkerToVentilator message;
  message.ParseFromString(bytes);
  const std::string number =
      " (number " + std::to_string(message.number()) + ", epoch " + std::to_string(message.epoch()) + ")";
  if (message.has_hello()) return "hello, holds" + ranges(message.hello().holding()) + number;
  if (message.has_goodbye()) return "goodbye" + number;
  const proto::WorkerStatus& status = message.status();
  return std::string(status.complete() ? "whole status, holds" + ranges(status.holding()) : "status") +
         ", sequence " + std::to_string(status.received_sequence()) + ", unfinished " +
         std::to_string(status.unfinished()) + number;
}

std::string of_ventilator_to_worker(const std::string& bytes) {
  proto::VentilatorToWorker message;
  message.ParseFromString(bytes);
  const std::string epoch = " (epoch " + std::to_string(message.epoch()) + ")";
  if (message.has_welcome()) return "welcome, lane " + std::to_string(message.welcome().lane_port()) + epoch;
  if (message.has_unknown()) return "unknown" + epoch;
  if (message.has_stop()) return "leave" + epoch;
  return "pong, stop level " + std::to_string(message.pong().stop_level()) + epoch;
}

std::string of_ventilator_to_sink(const std::string& bytes) {
  proto::VentilatorToSink message;
  message.ParseFromString(bytes);
  if (message.has_open()) return "open (epoch " + std::to_string(message.epoch()) + ")";
  if (message.has_acknowledged()) return "acknowledged";
  if (message.has_proposal()) {
    return "proposal of " + std::to_string(message.proposal().count()) + " jobs from " +
           std::to_string(message.proposal().first_job());
  }
  return "question " + std::to_string(message.sync().question()) + " from " +
         std::to_string(message.sync().offset()) + " of epoch " + std::to_string(message.sync().sink_epoch());
}

std::string of_sink_to_ventilator(const std::string& bytes) {
  proto::SinkToVentilator message;
  message.ParseFromString(bytes);
  const std::string epoch = " (epoch " + std::to_string(message.epoch()) + ")";
  if (message.has_opened()) return "opened" + epoch;
  if (message.has_done()) return "done" + epoch;
  if (message.has_refused()) return "refused";
  return "answer " + std::to_string(message.log().question()) + ": done" + ranges(message.log().done()) +
         (message.log().whole() ? " in all" : "") + epoch;
}

std::string text_of(const Message& message) {
  const Role role = receiver_of(message.channel);
  const std::string to = name_of(role) + " <- ";
  if (message.event) return to + (message.port > 0 ? "lane reached" : "the sink's connection closed");
  const std::string& bytes = *message.bytes;
  if (message.channel == Channel::kVentilatorToSink) return to + of_ventilator_to_sink(bytes);
  if (message.channel == Channel::kSinkToVentilator) return to + of_sink_to_ventilator(bytes);
  if (message.channel >= Channel::kResults) {
    proto::Results results;
    results.ParseFromString(bytes);
    return to + "results " + std::to_string(results.sequence()) + " of worker " + results.worker_id()[7] +
           (results.count() > 0 ? ": job " + std::to_string(results.first_job()) : ": none");
  }
  if (message.channel >= Channel::kLane) {
    proto::Lane lane;
    lane.ParseFromString(bytes);
    std::string jobs;
    for (const JobId job : lane.jobs())
      jobs += " " + std::to_string(job);
    return to + "lane " + std::to_string(message.port) + " message " + std::to_string(lane.sequence()) +
           (jobs.empty() ? ": the spec" : ": jobs" + jobs);
  }
  if (message.channel >= Channel::kSinkToWorker) {
    proto::SinkToWorker sink;
    sink.ParseFromString(bytes);
    return to + (sink.has_welcome() ? "the sink's welcome" : "durable");
  }
  if (message.channel >= Channel::kWorkerToVentilator) {
    const auto worker =
        static_cast<std::size_t>(message.channel) - static_cast<std::size_t>(Channel::kWorkerToVentilator);
    return to + "worker " + std::to_string(worker) + ": " + of_worker_to_ventilator(bytes);
  }
  return to + of_ventilator_to_worker(bytes);
}

}  // namespace

std::string describe(const State& before, Action action) {
  const std::size_t which = action.which;
  const std::string role = which < kRoles ? name_of(static_cast<Role>(which)) : "";
  switch (action.kind) {
    case Kind::kDeliver:
      return text_of(before.messages[which]);
    case Kind::kLose:
      return "LOST: " + text_of(before.messages[which]);
    case Kind::kRepeat:
      return "TWICE: " + text_of(before.messages[which]);
    case Kind::kCopy:
      return "COPIED: " + text_of(before.messages[which]);
    case Kind::kDeliverLate:
      return "LATE: " + text_of(before.late[which]);
    case Kind::kFinish:
      return name_of(role_of_worker(which)) + " finishes job " +
             std::to_string(before.workers[which]->jobs.front().id);
    case Kind::kCommit:
      return "sink commits";
    case Kind::kCommitAndDie:
      return "CRASH: sink, after its commit";
    case Kind::kCrash:
      return "CRASH: " + role;
    case Kind::kStart:
      return role + " starts";
    case Kind::kCancel:
      return "CANCEL";
    case Kind::kAbort:
      return "CANCEL twice";
    case Kind::kTimers:
      break;
  }
  return "-- timers";
}

}  // namespace fantail::model
