#include "sink/kinds/map.h"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "pipeline/exact_sum.h"
#include "pipeline/json_fields.h"
#include "pipeline/json_line.h"
#include "pipeline/number.h"
#include "sink/json_text.h"
#include "sink/kinds/kind_state.h"
#include "sink/kinds/payload.h"

namespace fantail {

namespace {

using nlohmann::ordered_json;

constexpr std::string_view kResultItself = ".";

// Where the summand is in "[result]": the reader of fields follows JSON pointers, which no value of its own
// answers to.
std::string pointer_to_summand(std::string_view field) {
  std::string pointer = "/0";
  if (field == kResultItself) return pointer;
  pointer += '/';
  for (const char c : field) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

class MapKind final : public Kind {
 public:
  explicit MapKind(const proto::MapSpec& spec)
      : sum_of_(spec.sum()), summand_pointer_(pointer_to_summand(spec.sum())) {}

  std::unique_ptr<Kind> clone() const override { return std::make_unique<MapKind>(*this); }
  std::string_view name() const override { return "map"; }

  XXH128_hash_t add(const Outcome& outcome) override {
    const std::optional<std::string> json = result_json(outcome);
    if (json) count(*json);
    hasher_.begin(outcome.job, outcome.status);
    json ? hasher_.add_string(*json) : hasher_.add_null();
    return hasher_.hash();
  }

  const std::vector<std::string_view>& field_names() const override {
    static const std::vector<std::string_view> names = {"result"};
    return names;
  }

  std::vector<Field> fields(const Outcome& outcome) const override {
    std::optional<std::string> json = result_json(outcome);
    if (!json) return {{"result", {}}};
    return {{"result", JsonText{std::move(*json)}}};
  }

  ordered_json aggregate(const RunSummary&) const override {
    ordered_json sum;
    if (!sum_of_.empty()) {
      sum = {{"field", json_text(sum_of_)},
             {"total", sum_.text()},
             {"summed", summed_},
             {"without", results_ - summed_}};
    }
    return {{"results", results_}, {"sum", std::move(sum)}};
  }

  std::string save() const override {
    proto::KindState state;
    proto::MapState& map = *state.mutable_map();
    map.set_results(results_);
    map.set_sum(sum_.text());
    map.set_summed(summed_);
    return seal_state(state);
  }

  bool load(std::string_view bytes) override {
    const std::optional<proto::KindState> state = open_state(bytes);
    if (!state || !state->has_map() || state->map().summed() > state->map().results()) return false;
    ExactSum sum;
    if (!sum.add(state->map().sum())) return false;
    sum_ = sum;
    results_ = state->map().results();
    summed_ = state->map().summed();
    return true;
  }

  std::string item_noun(std::uint64_t count) const override { return count == 1 ? "job" : "jobs"; }

  // "sum 385", "sum of price 12.5 (3 results without a number there)".
  std::string summary_totals() const override {
    if (sum_of_.empty()) return "";
    std::string text = sum_of_ == kResultItself ? "sum " : "sum of " + sum_of_ + " ";
    text += sum_.text();
    if (summed_ == results_) return text;
    return text + " (" + format_items(results_ - summed_, "result", "results") +
           (sum_of_ == kResultItself ? " not a number)" : " without a number there)");
  }

 private:
  // Only ok jobs have one. What a worker sends is not believed to be JSON.
  static std::optional<std::string> result_json(const Outcome& outcome) {
    if (outcome.status != Status::kOk) return std::nullopt;
    proto::MapResult result;
    if (!read_payload(outcome, result)) return "null";
    return compact_json(result.json()).value_or("null");
  }

  void count(const std::string& json) {
    ++results_;
    if (sum_of_.empty()) return;
    const std::array<std::string_view, 1> pointers = {summand_pointer_};
    const auto fields = read_json_fields("[" + json + "]", pointers);
    const auto* found = std::get_if<std::vector<JsonField>>(&fields);
    if (found == nullptr || found->front().type != JsonField::Type::kNumber) return;
    if (sum_.add(found->front().text)) ++summed_;
  }

  std::string sum_of_;  // empty: nothing is added up
  std::string summand_pointer_;
  std::uint64_t results_ = 0;
  ExactSum sum_;
  std::uint64_t summed_ = 0;  // results that sum_ is of
  OutcomeHasher hasher_;
};

}  // namespace

std::unique_ptr<Kind> make_map_kind(const proto::MapSpec& spec) {
  return std::make_unique<MapKind>(spec);
}

}  // namespace fantail
