// What the roles' shells do around their deciders, reduced to one state: an event comes in, the decider says
// what is sent and stored, its timers run.
#pragma once

#include "tests/model/state.h"

namespace fantail::model {

inline constexpr JobId kJobs = 2;

proto::RunSpec run_spec();
std::string input_of(JobId job);

State first_state(const Budget& budget, bool fine);

void deliver(State& state, const Message& message);
void start(State& state, Role role);
void crash(State& state, Role role);
void finish_job(State& state, std::size_t worker);
void commit(State& state, bool dies_before_it_tells);
void cancel(State& state, proto::StopLevel level);
// All timers that are due a step later fire, and all that run.
void fire_timers(State& state);

// Both ends of the run have left.
bool over(const State& state);
void check_end(State& state);

// The exit code of a ventilator whose spool says that the run has ended: it is not part of the model.
inline constexpr int kExitCodeOfTheSpool = -1;

// ---- between the shells
void deliver_to_ventilator(State& state, const Message& message);
void deliver_to_sink(State& state, const Message& message);
void deliver_to_worker(State& state, const Message& message);
void run_ventilator(State& state, Duration passed);
void run_sink(State& state, Duration passed);
void run_worker(State& state, std::size_t worker, Duration passed);
void hear_sink(State& state, std::size_t worker);
void start_ventilator(State& state);
void start_sink(State& state);
void start_worker(State& state, std::size_t worker);
void sink_says_welcome(State& state, std::size_t worker, const proto::WorkerToSink& hello);
void crash_ventilator(State& state);
void crash_sink(State& state);
void crash_worker(State& state, std::size_t worker);

// So much passes before each event and after it. A question is not asked again within it.
inline constexpr Duration kInstantly = std::chrono::milliseconds(2);

// `without_counters` is what the hash takes of it beside the counter.
Message make_message(Channel channel, const google::protobuf::MessageLite& message,
                     const google::protobuf::MessageLite& without_counters, std::uint64_t counter);

}  // namespace fantail::model
