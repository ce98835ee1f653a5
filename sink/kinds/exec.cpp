#include "sink/kinds/exec.h"

#include <csignal>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "pipeline/byte_size.h"
#include "pipeline/number.h"
#include "sink/kinds/kind_state.h"
#include "sink/kinds/payload.h"

namespace fantail {

namespace {

using nlohmann::ordered_json;
using Counts = std::map<std::uint32_t, std::uint64_t>;
using StateCounts = google::protobuf::RepeatedPtrField<proto::StatusCodeCount>;

std::string signal_name(std::uint32_t number) {
  const char* name = number < NSIG ? sigabbrev_np(static_cast<int>(number)) : nullptr;
  return name == nullptr ? "SIG" + std::to_string(number) : std::string("SIG") + name;
}

bool is_truncated(const proto::ExecResult& result) {
  return result.stdout_bytes() > result.stdout_head().size() ||
         result.stderr_bytes() > result.stderr_head().size();
}

void save_counts(const Counts& counts, StateCounts& state) {
  for (const auto& [code, count] : counts) {
    proto::StatusCodeCount& entry = *state.Add();
    entry.set_code(code);
    entry.set_count(count);
  }
}

Counts load_counts(const StateCounts& state) {
  Counts counts;
  for (const proto::StatusCodeCount& entry : state)
    counts[entry.code()] = entry.count();
  return counts;
}

class ExecKind final : public Kind {
 public:
  explicit ExecKind(const proto::ExecSpec& spec) : spec_(spec) {}

  std::unique_ptr<Kind> clone() const override { return std::make_unique<ExecKind>(*this); }
  std::string_view name() const override { return "exec"; }
  const proto::ExecSpec* exec_spec() const override { return &spec_; }

  XXH128_hash_t add(const Outcome& outcome) override {
    const bool ended = read_payload(outcome, result_);
    if (ended) count(outcome);
    hash(outcome, ended);
    return hasher_.hash();
  }

  const std::vector<std::string_view>& field_names() const override {
    static const std::vector<std::string_view> names = {"exit_code",    "signal",       "stdout",   "stderr",
                                                        "stdout_bytes", "stderr_bytes", "truncated"};
    return names;
  }

  std::vector<Field> fields(const Outcome& outcome) const override {
    FieldValue exit_code, signal, standard_output, standard_error, output_bytes, error_bytes, truncated;
    if (proto::ExecResult result; read_payload(outcome, result)) {
      if (result.signal() == 0) exit_code = std::uint64_t{result.exit_code()};
      if (result.signal() != 0) signal = signal_name(result.signal());
      standard_output = result.stdout_head();
      standard_error = result.stderr_head();
      output_bytes = result.stdout_bytes();
      error_bytes = result.stderr_bytes();
      truncated = is_truncated(result);
    }
    return {{"exit_code", std::move(exit_code)},       {"signal", std::move(signal)},
            {"stdout", std::move(standard_output)},    {"stderr", std::move(standard_error)},
            {"stdout_bytes", std::move(output_bytes)}, {"stderr_bytes", std::move(error_bytes)},
            {"truncated", std::move(truncated)}};
  }

  ordered_json aggregate(const RunSummary&) const override {
    ordered_json exit_codes = ordered_json::object();
    for (const auto& [code, count] : exit_codes_)
      exit_codes[std::to_string(code)] = count;
    ordered_json signals = ordered_json::object();
    for (const auto& [number, count] : signals_)
      signals[signal_name(number)] = count;
    const std::uint64_t average_us = processes_ == 0 ? 0 : duration_us_ / processes_;
    return {{"processes", processes_},       {"exit_codes", std::move(exit_codes)},
            {"signals", std::move(signals)}, {"stdout_bytes", stdout_bytes_},
            {"stderr_bytes", stderr_bytes_}, {"average_ms", static_cast<double>(average_us) / 1e3}};
  }

  std::string save() const override;
  bool load(std::string_view bytes) override;

  std::string item_noun(std::uint64_t count) const override { return count == 1 ? "job" : "jobs"; }
  std::string summary_totals() const override {
    return format_byte_size(stdout_bytes_) + " of output, " + format_byte_size(stderr_bytes_) + " of errors";
  }

 private:
  void count(const Outcome& outcome) {
    ++processes_;
    ++(result_.signal() == 0 ? exit_codes_[result_.exit_code()] : signals_[result_.signal()]);
    stdout_bytes_ += result_.stdout_bytes();
    stderr_bytes_ += result_.stderr_bytes();
    duration_us_ += outcome.duration_us;
  }

  // The values of fields().
  void hash(const Outcome& outcome, bool ended) {
    hasher_.begin(outcome.job, outcome.status);
    for (std::size_t field = 0; !ended && field < field_names().size(); ++field)
      hasher_.add_null();
    if (!ended) return;
    if (result_.signal() == 0) {
      hasher_.add_integer(result_.exit_code());
      hasher_.add_null();
    } else {
      hasher_.add_null();
      hasher_.add_string(signal_name(result_.signal()));
    }
    hasher_.add_string(result_.stdout_head());
    hasher_.add_string(result_.stderr_head());
    hasher_.add_integer(result_.stdout_bytes());
    hasher_.add_integer(result_.stderr_bytes());
    hasher_.add_bool(is_truncated(result_));
  }

  proto::ExecSpec spec_;
  std::uint64_t processes_ = 0;  // that ran to their end
  Counts exit_codes_;
  Counts signals_;
  std::uint64_t stdout_bytes_ = 0;
  std::uint64_t stderr_bytes_ = 0;
  std::uint64_t duration_us_ = 0;

  proto::ExecResult result_;  // kept between outcomes
  OutcomeHasher hasher_;
};

std::string ExecKind::save() const {
  proto::KindState state;
  proto::ExecState& exec = *state.mutable_exec();
  exec.set_processes(processes_);
  exec.set_stdout_bytes(stdout_bytes_);
  exec.set_stderr_bytes(stderr_bytes_);
  exec.set_duration_us(duration_us_);
  save_counts(exit_codes_, *exec.mutable_exit_codes());
  save_counts(signals_, *exec.mutable_signals());
  return seal_state(state);
}

bool ExecKind::load(std::string_view bytes) {
  const std::optional<proto::KindState> state = open_state(bytes);
  if (!state || !state->has_exec()) return false;
  const proto::ExecState& exec = state->exec();
  processes_ = exec.processes();
  stdout_bytes_ = exec.stdout_bytes();
  stderr_bytes_ = exec.stderr_bytes();
  duration_us_ = exec.duration_us();
  exit_codes_ = load_counts(exec.exit_codes());
  signals_ = load_counts(exec.signals());
  return true;
}

}  // namespace

std::unique_ptr<Kind> make_exec_kind(const proto::ExecSpec& spec) {
  return std::make_unique<ExecKind>(spec);
}

}  // namespace fantail
