#include "tests/sim/planted.h"

namespace fantail::sim {

Plan plan_for(std::uint64_t seed, Bug bug) {
  Plan plan = draw_plan(seed);
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
