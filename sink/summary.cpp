#include "sink/summary.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/duration.h"
#include "pipeline/number.h"
#include "sink/writers/text.h"

namespace fantail {

namespace {

constexpr std::size_t kMaxKindLines = 20;
constexpr std::size_t kMaxLosses = 3;

// Names of vendors and products, and sentences that quote a file name, come from elsewhere: a terminal must
// not obey them.
std::string shown(std::string_view text, Charset charset) {
  const std::string visible = escape_control(text);
  return charset == Charset::kUtf8 ? visible : escape_non_ascii(visible);
}

std::string counts(const JobCounts& jobs, const Kind& kind) {
  std::string text = format_count(jobs.submitted) + " " + kind.item_noun(jobs.submitted) + ": " +
                     format_count(jobs.ok) + " ok, " + format_count(jobs.failed) + " failed";
  if (jobs.cancelled > 0) text += ", " + format_count(jobs.cancelled) + " cancelled";
  if (jobs.expired > 0) text += ", " + format_count(jobs.expired) + " expired";
  if (jobs.lost > 0) text += ", " + format_count(jobs.lost) + " lost";
  return text;
}

std::string duration(std::uint64_t us) {
  return format_duration(std::chrono::microseconds(static_cast<std::int64_t>(us)));
}

std::string times(double factor) {
  const auto tenths = static_cast<std::uint64_t>(std::llround(factor * 10));
  return format_count(tenths / 10) + "." + std::to_string(tenths % 10) + "x";
}

// 4.9x: how much sooner the work was done than by one worker that never waits.
std::string shown_speedup(const RunSummary& run) {
  return times(static_cast<double>(run.work_us) / static_cast<double>(run.wall_us));
}

std::string first_line(const RunSummary& run, const Kind& kind, std::string_view separator) {
  // A run that ended early found nothing to do as far as it got; the reason is another line.
  if (run.jobs.submitted == 0)
    return "no " + kind.item_noun(0) + (run.end_reason.empty() ? ": nothing to do" : "");

  std::string line = counts(run.jobs, kind);
  if (const std::string totals = kind.summary_totals(); !totals.empty())
    line.append(separator).append(totals);
  if (run.started_jobs == 0) return line;
  line.append(separator).append(duration(run.work_us / run.started_jobs)).append(" average");
  line.append(separator).append(duration(run.wall_us)).append(" wall, ");
  line.append(duration(run.work_us)).append(" of work");
  if (run.wall_us > 0) line.append(", ").append(shown_speedup(run));
  return line;
}

std::string losers(const RunSummary& run, std::uint64_t saved_us) {
  if (run.jobs.cancelled == 0) return {};
  std::string text = "; " + format_items(run.jobs.cancelled, "other", "others") + " cancelled";
  if (saved_us > 0) text += ", " + duration(saved_us) + " of work saved";
  return text;
}

// 12.3, and 12 where that is it.
std::string tenths(double number) {
  const auto tenths = static_cast<std::uint64_t>(std::llround(number * 10));
  const std::string text = format_count(tenths / 10);
  return tenths % 10 == 0 ? text : text + "." + std::to_string(tenths % 10);
}

// ; lost: 4 % tail, 2 % network
std::string losses(const Efficiency& efficiency) {
  std::vector<std::pair<double, SlotPart>> parts;
  for (std::size_t index = 0; index < kSlotParts; ++index) {
    const auto part = static_cast<SlotPart>(index);
    const double percent = std::round(100 * efficiency.share(part));
    if (part != SlotPart::kWorking && percent >= 1) parts.emplace_back(percent, part);
  }
  std::stable_sort(parts.begin(), parts.end(), [](auto a, auto b) { return a.first > b.first; });
  if (parts.size() > kMaxLosses) parts.resize(kMaxLosses);
  std::string text;
  for (const auto& [percent, part] : parts) {
    text += text.empty() ? "; lost: " : ", ";
    text.append(tenths(percent)).append(" % ").append(slot_part_name(part));
  }
  return text;
}

// efficiency: 93 % of 8 slots x 12.3 s worked; lost: 4 % tail, 2 % network; bound by workers: one more would
// bring 1.4x
std::string efficiency_line(const RunSummary& run) {
  const Efficiency& efficiency = *run.efficiency;
  std::string line = "efficiency: " + tenths(std::round(100 * efficiency.share(SlotPart::kWorking))) +
                     " % of " + tenths(efficiency.slots) +
                     (efficiency.slots == 1 ? " slot x " : " slots x ") + duration(run.wall_us) + " worked" +
                     losses(efficiency);
  line.append("; bound by ").append(binding_name(efficiency.binding));
  if (efficiency.binding == SlotPart::kWorking && efficiency.one_more_worker)
    line += ": one more would bring " + times(efficiency.one_more_worker->speedup);
  return line + "\n";
}

// first: DuckDuckGo after 117 ms; 4 others cancelled, 1.2 s of work saved
std::string winner_line(const RunSummary& run, Charset charset) {
  const RunSummary::Winner& winner = *run.winner;
  return "first: " + shown(winner.input, charset) + " after " + duration(winner.after_us) +
         losers(run, winner.saved_us) + "\n";
}

// first: 99 of 100 groups have a winner; 396 others cancelled, 1.2 s of work saved
std::string races_line(const RunSummary& run) {
  return "first: " + format_count(run.races->won) + " of " +
         format_items(run.races->groups, "group has a winner", "groups have a winner") +
         losers(run, run.races->saved_us) + "\n";
}

// hedged: 12 copies, 9 of them came first; 1.2 s of extra work
std::string hedged_line(const RunSummary& run) {
  const RunSummary::Hedged& hedged = *run.hedged;
  return "hedged: " + format_items(hedged.copies, "copy", "copies") + ", " + format_count(hedged.won) +
         " of them came first; " + duration(hedged.extra_us) + " of extra work\n";
}

std::string kind_lines(const Kind& kind, Charset charset) {
  const std::vector<std::string> lines = kind.summary_lines();
  std::string text;
  for (std::size_t i = 0; i < lines.size() && i < kMaxKindLines; ++i)
    text += shown(lines[i], charset) + "\n";
  if (lines.size() <= kMaxKindLines) return text;
  return text.append(charset == Charset::kUtf8 ? "… " : "... ")
      .append(format_count(lines.size() - kMaxKindLines))
      .append(" more in the report\n");
}

}  // namespace

std::string make_summary(const RunSummary& run, const Kind& kind, Charset charset) {
  std::string text = first_line(run, kind, charset == Charset::kUtf8 ? " · " : " - ") + "\n";
  if (run.jobs.submitted > 0) text += kind_lines(kind, charset);
  if (run.winner) text += winner_line(run, charset);
  if (run.races) text += races_line(run);
  if (run.hedged && run.hedged->copies > 0) text += hedged_line(run);
  if (run.efficiency && run.started_jobs > 0) text += efficiency_line(run);
  if (run.skipped > 0) text += format_items(run.skipped, "special file", "special files") + " skipped\n";
  if (!run.end_reason.empty()) text += shown(run.end_reason, charset) + "\n";
  return text;
}

}  // namespace fantail
