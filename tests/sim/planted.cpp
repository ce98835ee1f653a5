#include "tests/sim/planted.h"

namespace fantail::sim {

Plan plan_for(std::uint64_t seed, Bug bug) {
  Plan plan = draw_plan(seed);
  if (bug == Bug::kHedgesWithoutLimit) {
    // What is bounded is known only where nothing makes the ventilator misjudge who has what.
    plan.lost = plan.reordered = plan.killed_at_points = 0;
    plan.partition = plan.worker_pause = plan.ventilator_pause = plan.worker_kill = plan.ventilator_kill = {};
    plan.poison.clear();
    plan.dies_of_interrupt = false;
    return plan;
  }
  if (bug != Bug::kObeysFormerLife && bug != Bug::kStopsInMemory) return plan;
  plan.interrupt_at = plan.faults_last / 4;
  plan.interrupt_again_at.reset();
  plan.dies_of_interrupt = true;
  plan.stop_unwritten = bug == Bug::kObeysFormerLife;
  if (bug == Bug::kStopsInMemory) return plan;
  plan.lost = 300;
  plan.reordered = 300;
  plan.reordered_by = std::chrono::seconds(4);
  return plan;
}

}  // namespace fantail::sim
