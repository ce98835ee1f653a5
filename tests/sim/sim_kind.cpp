// The one kind of simulated runs: an aggregate that tells one application of an outcome from two, and nothing
// else.
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "sink/kinds/kind.h"

namespace fantail {

namespace {

class SimKind final : public Kind {
 public:
  std::unique_ptr<Kind> clone() const override { return std::make_unique<SimKind>(*this); }
  std::string_view name() const override { return "echo"; }

  // Plan::input_of names groups so.
  JobLine job_of(std::string_view submitted) const override {
    JobLine job = Kind::job_of(submitted);
    const std::size_t slash = submitted.find('/');
    if (slash != std::string_view::npos) job.group = submitted.substr(slash + 1);
    return job;
  }

  XXH128_hash_t add(const Outcome& outcome) override {
    ++outcomes_;
    sum_ += outcome.job * 4 + static_cast<std::uint64_t>(outcome.status) + 1;
    hasher_.begin(outcome.job, outcome.status);
    hasher_.add_string(outcome.input);
    return hasher_.hash();
  }

  const std::vector<std::string_view>& field_names() const override {
    static const std::vector<std::string_view> names;
    return names;
  }
  std::vector<Field> fields(const Outcome&) const override { return {}; }
  nlohmann::ordered_json aggregate(const RunSummary&) const override { return {}; }

  std::string save() const override { return std::to_string(outcomes_) + " " + std::to_string(sum_); }
  bool load(std::string_view bytes) override {
    const std::size_t space = bytes.find(' ');
    if (space == std::string_view::npos) return false;
    std::from_chars(bytes.data(), bytes.data() + space, outcomes_);
    std::from_chars(bytes.data() + space + 1, bytes.data() + bytes.size(), sum_);
    return true;
  }
  std::string item_noun(std::uint64_t) const override { return "job"; }
  std::string summary_totals() const override { return {}; }

 private:
  std::uint64_t outcomes_ = 0;
  std::uint64_t sum_ = 0;
  OutcomeHasher hasher_;
};

}  // namespace

std::unique_ptr<Kind> make_kind(const proto::KindSpec&) {
  return std::make_unique<SimKind>();
}

}  // namespace fantail
