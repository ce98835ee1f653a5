#include "sink/report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "sink/json_text.h"

namespace fantail {

namespace {

using nlohmann::ordered_json;

// Whole microseconds in, so the number has at most six decimals.
double seconds(std::uint64_t us) {
  return static_cast<double>(us) / 1e6;
}

double rounded(double number, double decimals) {
  return std::round(number * decimals) / decimals;
}

double speedup(const RunSummary& run) {
  if (run.wall_us == 0) return 0;
  return rounded(static_cast<double>(run.work_us) / static_cast<double>(run.wall_us), 1000);
}

ordered_json efficiency_of(const RunSummary& run) {
  if (!run.efficiency) return {};
  const Efficiency& efficiency = *run.efficiency;
  ordered_json parts;
  for (std::size_t part = 0; part < kSlotParts; ++part)
    parts[std::string(slot_part_name(static_cast<SlotPart>(part)))] = seconds(efficiency.parts_us[part]);
  ordered_json one_more;
  if (efficiency.one_more_worker) {
    one_more = {{"speedup", rounded(efficiency.one_more_worker->speedup, 1000)},
                {"saved_s", seconds(efficiency.one_more_worker->saved_us)}};
  }
  return {{"percent", rounded(100 * efficiency.share(SlotPart::kWorking), 10)},
          {"slots", rounded(efficiency.slots, 1000)},
          {"slots_s", seconds(efficiency.total_us())},
          {"parts_s", std::move(parts)},
          {"bound_by", binding_name(efficiency.binding)},
          {"one_more_worker", std::move(one_more)}};
}

ordered_json job_counts(const JobCounts& jobs) {
  return {{"submitted", jobs.submitted}, {"ok", jobs.ok},           {"failed", jobs.failed},
          {"cancelled", jobs.cancelled}, {"expired", jobs.expired}, {"lost", jobs.lost}};
}

ordered_json races_of(const RunSummary& run) {
  ordered_json without = ordered_json::array();
  for (const std::string& group : run.races->without_winner)
    without.push_back(json_text(group));
  return {{"groups", run.races->groups},
          {"won", run.races->won},
          {"cancelled", run.jobs.cancelled},
          {"saved_s", seconds(run.races->saved_us)},
          {"without_winner", without}};
}

ordered_json winner_of(const RunSummary& run) {
  if (run.races) return races_of(run);
  if (!run.winner) return {};
  return {{"job", run.winner->job},
          {"input", json_text(run.winner->input)},
          {"after_ms", static_cast<double>(run.winner->after_us) / 1e3},
          {"cancelled", run.jobs.cancelled},
          {"saved_s", seconds(run.winner->saved_us)}};
}

ordered_json hedged_of(const RunSummary& run) {
  if (!run.hedged) return {};
  return {{"copies", run.hedged->copies},
          {"won", run.hedged->won},
          {"extra_s", seconds(run.hedged->extra_us)},
          {"lost_s", seconds(run.hedged->lost_us)}};
}

ordered_json errors_of(const RunSummary& run) {
  ordered_json list = ordered_json::array();
  for (const RunSummary::Error& error : run.errors) {
    list.push_back(ordered_json{{"job", error.job},
                                {"input", json_text(error.input)},
                                {"code", json_text(error.code)},
                                {"message", json_text(error.message)}});
  }
  return list;
}

ordered_json id_ranges(const std::vector<JobIdRange>& ranges) {
  ordered_json list = ordered_json::array();
  for (const JobIdRange& range : ranges) {
    list.push_back(ordered_json{{"first", range.first}, {"count", range.count}});
  }
  return list;
}

}  // namespace

std::string_view run_state_name(RunState state) {
  switch (state) {
    case RunState::kCompleted:
      return "completed";
    case RunState::kHalted:
      return "halted";
    case RunState::kTimedOut:
      return "timed_out";
    case RunState::kCancelled:
      return "cancelled";
    case RunState::kFailed:
      return "failed";
  }
  return "failed";
}

ordered_json make_report(const RunSummary& run, const Kind& kind, const Digest& digest) {
  ordered_json report;
  report["run_id"] = json_text(run.run_id);
  report["kind"] = kind.name();
  report["state"] = run_state_name(run.state);
  report["end_reason"] = run.end_reason.empty() ? ordered_json() : ordered_json(json_text(run.end_reason));
  report["first"] = winner_of(run);
  report["jobs"] = job_counts(run.jobs);
  report["errors"] = errors_of(run);
  report["input_complete"] = run.input_complete;
  report["jobs_without_rows"] = id_ranges(run.without_rows);
  report["retries"] = run.retries;
  report["hedged"] = hedged_of(run);
  report["dropped"] = {{"duplicate", run.duplicates},
                       {"late", run.dropped.late},
                       {"forged", run.dropped.forged},
                       {"stale", run.dropped.stale}};
  report["workers"] = run.workers;
  report["max_running"] = run.max_running;
  report["startup_s"] = seconds(run.startup_us);
  report["wall_s"] = seconds(run.wall_us);
  report["work_s"] = seconds(run.work_us);
  report["average_s"] = seconds(run.started_jobs == 0 ? 0 : run.work_us / run.started_jobs);
  report["speedup"] = speedup(run);
  report["efficiency"] = efficiency_of(run);
  report["digest"] = digest.hex();
  report["aggregate"] = kind.aggregate(run);
  return report;
}

}  // namespace fantail
