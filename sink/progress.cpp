#include "sink/progress.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "pipeline/number.h"
#include "sink/writers/text.h"

namespace fantail {

namespace {

using std::chrono::microseconds;

constexpr microseconds kWindow = std::chrono::seconds(5);
constexpr microseconds kSampleDistance = std::chrono::milliseconds(50);
constexpr std::size_t kMinBarWidth = 8;
constexpr std::size_t kMaxBarWidth = 30;
constexpr std::size_t kLineWithBar = 60;  // on a line of this width a bar is worth more than the last parts

std::uint64_t percent(const JobCounts& jobs) {
  if (jobs.done() >= jobs.submitted) return 100;
  const double share = static_cast<double>(jobs.done()) / static_cast<double>(jobs.submitted);
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(share * 100), 99);
}

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

// 3s, 2m05s, 1h02m.
std::string clock_text(std::int64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return std::to_string(seconds / 60) + "m" + two_digits(seconds % 60) + "s";
  return std::to_string(seconds / 3600) + "h" + two_digits(seconds / 60 % 60) + "m";
}

// 0:05, 12:34, 1:02:03.
std::string stopwatch_text(microseconds elapsed) {
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
  const std::string minutes = seconds < 3600
                                  ? std::to_string(seconds / 60)
                                  : std::to_string(seconds / 3600) + ":" + two_digits(seconds / 60 % 60);
  return minutes + ":" + two_digits(seconds % 60);
}

std::string elapsed_text(microseconds elapsed) {
  return clock_text(std::chrono::duration_cast<std::chrono::seconds>(elapsed).count());
}

// Slow runs have a decimal: 0.4/s is not 0/s.
std::string rate_text(double rate, bool grouped) {
  const auto tenths = static_cast<std::uint64_t>(std::llround(std::min(rate, 1e15) * 10));
  if (tenths > 0 && tenths < 100)
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "/s";
  const std::uint64_t whole = (tenths + 5) / 10;
  return (grouped ? format_count(whole) : std::to_string(whole)) + "/s";
}

// "-": nobody knows.
std::string eta_text(const JobCounts& jobs, double rate) {
  if (jobs.done() >= jobs.submitted) return "0s";
  if (rate <= 0) return "-";
  const double seconds = static_cast<double>(jobs.submitted - jobs.done()) / rate;
  // Beyond a thousand hours it is no forecast.
  if (seconds > 3.6e6) return "-";
  return clock_text(static_cast<std::int64_t>(std::ceil(seconds)));
}

std::string bar(const JobCounts& jobs, std::size_t width, bool unicode) {
  const std::size_t filled = static_cast<std::size_t>(percent(jobs)) * width / 100;
  std::string text = unicode ? "" : "[";
  for (std::size_t i = 0; i < width; ++i)
    text += i < filled ? (unicode ? "█" : "#") : (unicode ? "░" : "-");
  return unicode ? text : text + "]";
}

// A piece of the line. Those of the highest rank are left out first.
struct Part {
  int rank;
  std::string text;
  std::string_view color = {};
};

std::size_t width_of(const std::vector<Part>& parts) {
  std::size_t width = 0;
  for (const Part& part : parts)
    width += (width == 0 ? 0 : 2) + display_width(part.text);
  return width;
}

void fit(std::vector<Part>& parts, std::size_t width) {
  while (parts.size() > 1 && width_of(parts) > width) {
    parts.erase(std::max_element(parts.begin(), parts.end(),
                                 [](const Part& a, const Part& b) { return a.rank < b.rank; }));
  }
  if (width_of(parts) > width) parts.front().text = truncate_end(parts.front().text, width, "");
}

std::vector<Part> make_parts(const RunSummary& run, double rate, microseconds elapsed) {
  const JobCounts& jobs = run.jobs;
  std::vector<Part> parts;
  if (run.total_known) {
    const std::string share = std::to_string(percent(jobs)) + "%";
    parts.push_back({1, pad_left(share, 4)});
    parts.push_back({0, format_count(jobs.done()) + "/" + format_count(jobs.submitted)});
  } else {
    parts.push_back({0, format_count(jobs.done()) + " done"});
  }
  parts.push_back({4, rate_text(rate, true)});
  parts.push_back({7, format_count(jobs.ok) + " ok"});
  parts.push_back({2, format_count(jobs.failed) + " failed", jobs.failed > 0 ? "\x1b[31m" : ""});
  parts.push_back({5, format_count(run.running) + " running"});
  parts.push_back({6, format_items(run.workers_now, "worker", "workers")});
  if (run.total_known) parts.push_back({3, "ETA " + eta_text(jobs, rate)});
  parts.push_back({8, stopwatch_text(elapsed)});
  return parts;
}

void append_count(std::string_view name, std::uint64_t count, std::string& out) {
  out.append(" ").append(name).append("=").append(std::to_string(count));
}

}  // namespace

void Progress::sample(microseconds elapsed, std::uint64_t done) {
  const Sample sample = {elapsed, done};
  // However often it is called, a window holds a hundred samples.
  if (samples_.size() > 1 && elapsed - samples_[samples_.size() - 2].elapsed < kSampleDistance) {
    samples_.back() = sample;
  } else {
    samples_.push_back(sample);
  }
  while (samples_.size() > 2 && samples_[1].elapsed <= elapsed - kWindow)
    samples_.pop_front();
}

double Progress::rate() const {
  if (samples_.size() < 2) return 0;
  const Sample& first = samples_.front();
  const Sample& last = samples_.back();
  if (last.elapsed <= first.elapsed || last.done <= first.done) return 0;
  const double seconds = std::chrono::duration<double>(last.elapsed - first.elapsed).count();
  return static_cast<double>(last.done - first.done) / seconds;
}

std::string Progress::line(const RunSummary& run, microseconds elapsed, unsigned width, bool unicode,
                           bool color) const {
  std::vector<Part> parts = make_parts(run, rate(), elapsed);
  const std::size_t frame = unicode ? 2 : 4;  // the gap behind the bar, and its brackets
  fit(parts, run.total_known && width >= kLineWithBar ? width - frame - kMinBarWidth : width);
  const std::size_t used = width_of(parts) + frame;
  if (run.total_known && width >= used + kMinBarWidth) {
    const std::size_t room = std::min(width - used, kMaxBarWidth);
    parts.insert(parts.begin(), Part{0, bar(run.jobs, room, unicode), "\x1b[32m"});
  }
  std::string out;
  for (const Part& part : parts) {
    if (!out.empty()) out += "  ";
    if (color && !part.color.empty()) {
      out.append(part.color).append(part.text).append("\x1b[0m");
    } else {
      out += part.text;
    }
  }
  return out;
}

std::string Progress::plain(const RunSummary& run, microseconds elapsed) const {
  const JobCounts& jobs = run.jobs;
  std::string out;
  if (run.total_known) {
    out = std::to_string(percent(jobs)) + "% " + std::to_string(jobs.done()) + "/" +
          std::to_string(jobs.submitted);
  } else {
    out = std::to_string(jobs.done()) + " done";
  }
  append_count("ok", jobs.ok, out);
  append_count("failed", jobs.failed, out);
  if (jobs.cancelled > 0) append_count("cancelled", jobs.cancelled, out);
  if (jobs.expired > 0) append_count("expired", jobs.expired, out);
  append_count("running", run.running, out);
  out += " rate=" + rate_text(rate(), false);
  if (run.total_known) out += " eta=" + eta_text(jobs, rate());
  return out + " elapsed=" + elapsed_text(elapsed);
}

}  // namespace fantail
