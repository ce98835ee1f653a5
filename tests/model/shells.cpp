#include "tests/model/shells.h"

#include <algorithm>

#include "pipeline/state_hash.h"

namespace fantail::model {

proto::RunSpec run_spec() {
  proto::RunSpec spec;
  spec.set_run_id("the-models-run-0");
  spec.mutable_kind()->mutable_echo();
  return spec;
}

std::string input_of(JobId job) {
  return "input " + std::to_string(job);
}

Message make_message(Channel channel, const google::protobuf::MessageLite& message,
                     const google::protobuf::MessageLite& without_counters, std::uint64_t counter) {
  Message made;
  made.channel = channel;
  made.counter = counter;
  made.content = StateHash().add(without_counters.SerializeAsString()).value();
  made.bytes = std::make_shared<const std::string>(message.SerializeAsString());
  return made;
}

State first_state(const Budget& budget, bool fine) {
  State state;
  state.budget = budget;
  state.fine = fine;
  state.ventilator = std::make_shared<VentilatorNode>();
  state.sink = std::make_shared<SinkNode>();
  state.edit_ventilator().spool.spooled = kJobs;
  for (auto& worker : state.workers)
    worker = std::make_shared<WorkerNode>();
  // All listen before the first one speaks.
  start_sink(state);
  start_ventilator(state);
  for (std::size_t worker = 0; worker < kWorkers; ++worker)
    start_worker(state, worker);
  return state;
}

void deliver(State& state, const Message& message) {
  const Role role = receiver_of(message.channel);
  if (!state.up(role)) return;
  if (role == Role::kVentilator) return deliver_to_ventilator(state, message);
  if (role == Role::kSink) return deliver_to_sink(state, message);
  deliver_to_worker(state, message);
}

void start(State& state, Role role) {
  if (role == Role::kVentilator) return start_ventilator(state);
  if (role == Role::kSink) return start_sink(state);
  start_worker(state, worker_of(role));
}

void crash(State& state, Role role) {
  if (role == Role::kVentilator) {
    crash_ventilator(state);
  } else if (role == Role::kSink) {
    crash_sink(state);
  } else {
    crash_worker(state, worker_of(role));
  }
}

void fire_timers(State& state) {
  const auto passes_down = [](std::uint32_t& down_for) { down_for = std::min(down_for + 1, kDownMost); };
  if (state.ventilator->dispatcher) {
    run_ventilator(state, kStep);
  } else {
    passes_down(state.edit_ventilator().down_for);
  }
  if (state.sink->collector) {
    run_sink(state, kStep);
  } else {
    passes_down(state.edit_sink().down_for);
  }
  for (std::size_t worker = 0; worker < kWorkers; ++worker) {
    if (state.workers[worker]->session) {
      hear_sink(state, worker);
      run_worker(state, worker, kStep);
    } else {
      passes_down(state.edit_worker(worker).down_for);
    }
  }
}

bool over(const State& state) {
  return state.ventilator->exit_code && state.sink->exit_code;
}

void check_end(State& state) {
  const sim::SimLedger& ledger = state.sink->ledger;
  const proto::Books& books = ledger.books;
  if (!ledger.done.missing_from({0, kJobs}).empty() || ledger.done.size() != kJobs)
    return state.fail("the run is over and a job has no outcome");
  std::array<std::uint64_t, 5> counts{};
  for (const auto& [job, row] : ledger.rows)
    ++counts[static_cast<std::size_t>(row.status)];
  const bool balanced = counts[1] == books.ok() && counts[2] == books.failed() &&
                        counts[3] == books.cancelled() && counts[4] == books.expired();
  if (!balanced || books.submitted() != kJobs) state.fail("the books are not those of the rows");
  if (!books.ended()) state.fail("the sink leaves a run that has not ended");
  const int told = *state.ventilator->exit_code;
  if (told != kExitCodeOfTheSpool && told != *state.sink->exit_code) {
    state.fail("the ventilator exits with " + std::to_string(told) + ", the sink with " +
               std::to_string(*state.sink->exit_code));
  }
  if (!state.cancelled && *state.sink->exit_code != 0) state.fail("a run that nobody stopped fails");
}

}  // namespace fantail::model
