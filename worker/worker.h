// The worker's shell: sockets, executors and signals around the session, which decides.
#pragma once

#include "pipeline/endpoint.h"
#include "worker/options.h"

namespace fantail {

int run_worker(const WorkerOptions& options);

// Where a worker that reached the ventilator at `ventilator` finds the sink that the ventilator dials at
// `sink`: an address that only the ventilator's machine understands is replaced, for a worker elsewhere, by
// that machine's name. Empty: it cannot.
std::optional<Endpoint> sink_as_seen_from(const Endpoint& ventilator, const Endpoint& sink,
                                          std::uint32_t sink_tcp_port);

}  // namespace fantail
