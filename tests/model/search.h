// A search through every reachable state, breadth first, so that what it finds is a shortest trace. In every
// state: no job has two outcomes; what is acknowledged, and what the ventilator is told of, is in the ledger;
// a worker holds no more than its credit and forgets nothing that is not durable; the end is told once all
// jobs are done; without further faults the run comes to its end, with balanced books and one exit code.
//
// What is abstracted, and what that leaves out (the simulator in tests/sim has it):
//
// | of the real thing | in the model | left out |
// |---|---|---|
// | time | a step of 1 s, one heartbeat, in which every process's timers fire | timers of a step in another
// order | | instants | their age in whole steps, up to the age beyond which nothing changes | | | messages |
// faster than timers: a step begins when none is under way | slow ones, other than by `late` | | order of
// messages | a channel's is kept; over channels that of sending, but for `swaps` or `any_order` | | | late
// messages | a copy, or the message itself, that comes any time later, or never: `late` each | | | loss | of
// any message, also of a lane's and of results | that of several at once | | a dead process | what was on its
// way to it is lost, what it sent arrives; it is back within 4 steps | | | commits | any time before the next
// step; with `coarse` at once. A crash before, or between it and telling | | | jobs | take any time; with
// `coarse` they finish while no message is under way, as processes start then | | | greeting of the sink |
// answered at once where the worker does not know it | | | ports of lanes | never used again | another's lane
// behind an old port | | cancel | once, of what is queued or also of what runs | a second one | | message
// numbers, questions | how far behind the newest, at most 8, and whether the other side is past it | | |
// facts for reports | left out of the hash | | | spool | both jobs and the input's end are in it from the
// start | input while the run goes on | | kinds, hosts, deadline, poison, drain, full disks | none | all of
// them |
//
// States are compared by a hash of 64 bits: of ten million, two fall together with a chance of 1 in 370,000.
#pragma once

#include <cstdint>

#include "tests/model/state.h"

namespace fantail::model {

struct Scope {
  Budget budget;
  std::uint64_t states_most = 100'000'000;
};

// False: a property does not hold, or there are more states. Prints what it finds; adds to `states`.
bool search(const Scope& scope, std::uint64_t* states);

}  // namespace fantail::model
