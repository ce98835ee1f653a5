#include "sink/kinds/job_lines.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace fantail {

namespace {

class JobLinesKind : public Kind {
 public:
  explicit JobLinesKind(std::unique_ptr<Kind> kind) : kind_(std::move(kind)) {
    names_ = kind_->field_names();
    names_.insert(names_.begin(), "group");
  }
  std::unique_ptr<Kind> clone() const override { return make_job_lines_kind(kind_->clone()); }
  std::string_view name() const override { return kind_->name(); }

  // What is no such line is its own input: its job failed for that.
  JobLine job_of(std::string_view submitted) const override {
    auto line = parse_job_line(submitted);
    if (auto* job = std::get_if<JobLine>(&line)) return std::move(*job);
    return kind_->job_of(submitted);
  }
  XXH128_hash_t add(const Outcome& outcome) override {
    const JobLine job = job_of(outcome.input);
    return kind_->add(outcome.with_input(job.input));
  }
  const std::vector<std::string_view>& field_names() const override { return names_; }
  std::vector<Field> fields(const Outcome& outcome) const override {
    const JobLine job = job_of(outcome.input);
    std::vector<Field> fields = kind_->fields(outcome.with_input(job.input));
    FieldValue group;
    if (!job.group.empty()) group = job.group;
    fields.insert(fields.begin(), {"group", std::move(group)});
    return fields;
  }
  nlohmann::ordered_json aggregate(const RunSummary& run) const override { return kind_->aggregate(run); }
  std::string save() const override { return kind_->save(); }
  bool load(std::string_view bytes) override { return kind_->load(bytes); }
  std::string item_noun(std::uint64_t count) const override { return kind_->item_noun(count); }
  std::string summary_totals() const override { return kind_->summary_totals(); }
  const proto::ExecSpec* exec_spec() const override { return kind_->exec_spec(); }
  std::vector<std::string> summary_lines() const override { return kind_->summary_lines(); }

 private:
  std::unique_ptr<Kind> kind_;
  std::vector<std::string_view> names_;
};

}  // namespace

std::unique_ptr<Kind> make_job_lines_kind(std::unique_ptr<Kind> kind) {
  return std::make_unique<JobLinesKind>(std::move(kind));
}

}  // namespace fantail
