#include "ventilator/sources/resumed.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "ventilator/spool_record.h"

namespace fantail {

namespace {

// Passes over the inputs that the rule names.
class ResumedSource : public Source {
 public:
  ResumedSource(std::unique_ptr<Source> source, SpooledInputs spooled)
      : source_(std::move(source)), spooled_(std::move(spooled)) {}

  std::variant<SourceStatus, SourceError> read(std::size_t limit, std::vector<std::string>& inputs) override {
    for (;;) {
      const std::size_t before = inputs.size();
      auto status = source_->read(limit, inputs);
      if (std::holds_alternative<SourceError>(status)) return status;
      const bool end = std::get<SourceStatus>(status) == SourceStatus::kEnd;
      const auto first = inputs.begin() + static_cast<std::ptrdiff_t>(before);
      const auto fresh =
          std::find_if(first, inputs.end(), [this](const std::string& input) { return !pass(input); });
      inputs.erase(first, fresh);
      if (auto error = check(end)) return *error;
      if (end || inputs.size() > before) return status;
    }
  }
  std::uint64_t skipped() const override { return source_->skipped(); }
  std::vector<std::uint64_t> longest() const override { return source_->longest(); }
  void interrupt() override { source_->interrupt(); }

 protected:
  // Whether the input was spooled before. Asked in order, up to the first that was not.
  virtual bool pass(const std::string& input) = 0;
  // After each piece: what is wrong with the inputs passed so far.
  virtual std::optional<SourceError> check(bool end) = 0;
  const SpooledInputs& spooled() const { return spooled_; }

 private:
  std::unique_ptr<Source> source_;
  SpooledInputs spooled_;
};

class ResumedStream : public ResumedSource {
 public:
  using ResumedSource::ResumedSource;

 private:
  bool pass(const std::string& input) override {
    if (passed_ == spooled().count) return false;
    roll_inputs_hash(hash_, input);
    ++passed_;
    return true;
  }
  std::optional<SourceError> check(bool end) override {
    const bool whole = passed_ == spooled().count;
    if (whole ? hash_ == spooled().hash : !end) return std::nullopt;
    return SourceError{"the input is not the one that this run began with: its first " +
                       std::to_string(spooled().count) +
                       " items differ; give the same input again, or start a new run"};
  }

  std::uint64_t passed_ = 0;
  std::string hash_ = first_inputs_hash();
};

class ResumedWalk : public ResumedSource {
 public:
  ResumedWalk(std::unique_ptr<Source> source, std::vector<std::string> paths, SpooledInputs spooled)
      : ResumedSource(std::move(source), std::move(spooled)), paths_(std::move(paths)) {
    last_path_ = path_of(this->spooled().last, 0);
  }

 private:
  bool pass(const std::string& input) override {
    if (behind_) return false;
    path_ = path_of(input, path_);
    behind_ = path_ != last_path_ ? path_ > last_path_ : comes_after(input, spooled().last);
    return !behind_;
  }
  std::optional<SourceError> check(bool) override { return std::nullopt; }

  // Which of the walked paths the input lies under, from the given one on.
  std::size_t path_of(std::string_view input, std::size_t from) const {
    for (std::size_t index = from; index < paths_.size(); ++index) {
      std::string_view path = paths_[index];
      while (path.size() > 1 && path.ends_with('/'))
        path.remove_suffix(1);
      if (!input.starts_with(path)) continue;
      if (input.size() == path.size() || path.ends_with('/') || input[path.size()] == '/') return index;
    }
    return from;
  }
  // The walk's order: name by name, in byte order.
  static bool comes_after(std::string_view one, std::string_view other) {
    while (!one.empty() && !other.empty()) {
      const std::string_view name = one.substr(0, one.find('/'));
      const std::string_view other_name = other.substr(0, other.find('/'));
      if (name != other_name) return name > other_name;
      one.remove_prefix(std::min(one.size(), name.size() + 1));
      other.remove_prefix(std::min(other.size(), name.size() + 1));
    }
    return !one.empty();
  }

  std::vector<std::string> paths_;
  std::size_t last_path_ = 0;
  std::size_t path_ = 0;
  bool behind_ = false;
};

}  // namespace

std::unique_ptr<Source> make_resumed_source(std::unique_ptr<Source> source, SpooledInputs spooled) {
  if (spooled.count == 0) return source;
  return std::make_unique<ResumedStream>(std::move(source), std::move(spooled));
}

std::unique_ptr<Source> make_resumed_walk(std::unique_ptr<Source> source, std::vector<std::string> paths,
                                          SpooledInputs spooled) {
  if (spooled.count == 0) return source;
  return std::make_unique<ResumedWalk>(std::move(source), std::move(paths), std::move(spooled));
}

}  // namespace fantail
