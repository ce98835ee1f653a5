// A search through every reachable state, those with fewer faults first and then breadth first, so that what
// it finds is a short trace. In every state: no job has two outcomes; what is acknowledged, and what the
// ventilator is told of, is in the ledger; a worker holds no more than its credit and forgets nothing that is
// not durable; the end is told once all jobs are done; without further faults the run comes to its end, with
// balanced books and one exit code.
//
// A state that was reached with a budget of faults is not visited again with one that is no larger: what may
// follow then is among what follows anyway.
//
// What is abstracted, and what that leaves out (the simulator in tests/sim has it). A scope is fine, or
// coarse where several faults come together:
//
// - Time: a step of 1 s, one heartbeat, in which every process's timers fire, when no message is under way.
//   Left out: another order of them, messages slower than that. Coarse: steps of which nothing comes are
//   passed over. Left out: faults in them.
// - Instants: their age in whole steps, up to the age beyond which nothing changes. Coarse: whether they are
//   overdue; the ages with which a state was reached first stand for all others, which are left out.
// - The order of messages: that of sending. Left out: messages that overtake others, unless one is copied and
//   then lost.
// - Loss: of any message, also of a lane's and of results.
// - Copies: right behind the message, or any time later. Coarse: right behind it, or behind all that is under
//   way. Left out: those that are older, and outlast a restart.
// - Crashes: any time. Coarse: before the process acts again, and while no message is under way; what others
//   do in between is the same. What was on its way to it is lost, what it sent arrives. It is back within
//   4 steps. Coarse: at once, or as soon as anything comes of its absence.
// - Commits: any time before the next step. Coarse: at once. A crash before, or between it and telling.
// - Jobs take any time. Coarse: they finish, and processes start, while no message is under way.
// - Cancel: once, of what is queued or also of what runs; when, as for crashes of the ventilator.
// - Greeting of the sink: answered at once where the worker does not know it yet.
// - Lives: how many ago. Ports of lanes: which are the same; they are never used again.
// - Message numbers, questions: how far behind the newest, at most 8, and whether the other side is past it.
// - Attempts, facts for reports: left out of the hash.
// - Spool: both jobs and the input's end are in it from the start.
// - Kinds, hosts, deadline, poison, drain, full disks, copies of stragglers: none.
//
// States are compared by a hash of 64 bits: of ten million, two fall together with a chance of 1 in 370,000.
#pragma once

#include <cstdint>

#include "tests/model/state.h"

namespace fantail::model {

struct Scope {
  Budget budget;
  bool fine = false;
  std::uint64_t states_most = 100'000'000;
};

// False: a property does not hold, or there are more states. Prints what it finds; adds to `states`.
bool search(const Scope& scope, std::uint64_t* states);

}  // namespace fantail::model
