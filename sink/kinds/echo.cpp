#include "sink/kinds/echo.h"

#include <nlohmann/json.hpp>

#include "pipeline/byte_size.h"
#include "sink/kinds/kind_state.h"
#include "sink/kinds/payload.h"

namespace fantail {

namespace {

class EchoKind final : public Kind {
 public:
  std::unique_ptr<Kind> clone() const override { return std::make_unique<EchoKind>(*this); }
  std::string_view name() const override { return "echo"; }

  // The payload is the input: nobody sends it back.
  XXH128_hash_t add(const Outcome& outcome) override {
    if (outcome.status == Status::kOk) {
      ++jobs_;
      bytes_ += outcome.input.size();
    }
    hasher_.begin(outcome.job, outcome.status);
    if (shows_fields(outcome)) {
      hasher_.add_string(outcome.input);
    } else {
      hasher_.add_null();
    }
    return hasher_.hash();
  }

  const std::vector<std::string_view>& field_names() const override {
    static const std::vector<std::string_view> names = {"payload"};
    return names;
  }

  std::vector<Field> fields(const Outcome& outcome) const override {
    if (!shows_fields(outcome)) return {{"payload", {}}};
    return {{"payload", std::string(outcome.input)}};
  }

  nlohmann::ordered_json aggregate(const RunSummary&) const override {
    return {{"jobs", jobs_}, {"bytes", bytes_}};
  }

  std::string save() const override {
    proto::KindState state;
    state.mutable_echo()->set_jobs(jobs_);
    state.mutable_echo()->set_bytes(bytes_);
    return seal_state(state);
  }

  bool load(std::string_view bytes) override {
    const std::optional<proto::KindState> state = open_state(bytes);
    if (!state || !state->has_echo()) return false;
    jobs_ = state->echo().jobs();
    bytes_ = state->echo().bytes();
    return true;
  }

  std::string item_noun(std::uint64_t count) const override { return count == 1 ? "job" : "jobs"; }
  std::string summary_totals() const override { return format_byte_size(bytes_); }

 private:
  std::uint64_t jobs_ = 0;
  std::uint64_t bytes_ = 0;
  OutcomeHasher hasher_;
};

}  // namespace

std::unique_ptr<Kind> make_echo_kind() {
  return std::make_unique<EchoKind>();
}

}  // namespace fantail
