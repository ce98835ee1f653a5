// All that decides what the session does next, for a search over states.
#include "pipeline/state_hash.h"
#include "worker/session.h"

namespace fantail {

std::uint64_t Session::hash() const {
  StateHash hash;
  add_to(hash);
  return hash.value();
}

void Session::add_to(StateHash& hash) const {
  hash.add_name(policy_.worker_id).add(static_cast<std::uint64_t>(policy_.heartbeat.count()));
  hash.add_epoch(StateHash::Epoch::kVentilator, epoch_)
      .add_name(lane_port_)
      .add_figure(next_number_)
      .add_figure(refusal_);
  hash.add(epoch_ == 0 ? hello_at_ : Instant{}, policy_.heartbeat).add(status_at_, policy_.heartbeat);
  hash.add(run_id_)
      .add(received_sequence_)
      .add(active_)
      .add(discarded_)
      .add(copies_)
      .add(retained_jobs_)
      .add(wanted_.size());
  for (const auto& [job, host] : wanted_)
    hash.add(job).add(host);
  hash.add(attempts_max_)
      .add(static_cast<std::uint64_t>(mean_job_ns_))
      .add(static_cast<std::uint64_t>(stop_level_));
  hash.add(sink_heard_, kSinkSilentHeartbeats * policy_.heartbeat);
  hash.add(sink_endpoint_)
      .add_epoch(StateHash::Epoch::kSink, sink_epoch_)
      .add(sink_data_port_)
      .add(next_result_sequence_);
  hash.add((draining_ ? 1 : 0) + (finished_ ? 2 : 0) + (sink_data_works_ ? 4 : 0) + (measured_ ? 8 : 0));
  hash.add_figure(dropped_.late).add_figure(dropped_.forged).add_figure(dropped_.stale);
  hash.add(retained_.size());
  for (const auto& [sequence, retained] : retained_) {
    hash.add(sequence).add_distance(next_sending_, retained.sending);
    proto::Results results;
    results.ParseFromString(*retained.serialized);
    for (const auto status : results.statuses())
      hash.add(static_cast<std::uint64_t>(status));
    hash.add(retained.jobs).add_figure(*retained.serialized).add(retained.sent, retained.resend_after);
    hash.add(static_cast<std::uint64_t>(retained.resend_after.count()));
  }
}

}  // namespace fantail
