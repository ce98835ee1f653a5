#include "sink/kinds/files.h"

#include <nlohmann/json.hpp>

#include "pipeline/byte_size.h"
#include "pipeline/number.h"
#include "sink/json_text.h"
#include "sink/kinds/kind_state.h"
#include "sink/kinds/payload.h"
#include "sink/kinds/top_items.h"

namespace fantail {

namespace {

using nlohmann::ordered_json;

ordered_json top_item(const TopItems::Item& item) {
  return {{"job", item.job}, {"path", json_text(item.name)}};
}

std::string hexadecimal(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xF];
  }
  return text;
}

class FilesKind final : public Kind {
 public:
  explicit FilesKind(const proto::FilesSpec& spec) : hash_algorithm_(spec.hash_algorithm()) {}

  std::unique_ptr<Kind> clone() const override { return std::make_unique<FilesKind>(*this); }
  std::string_view name() const override { return "files"; }
  XXH128_hash_t add(const Outcome& outcome) override;

  const std::vector<std::string_view>& field_names() const override {
    static const std::vector<std::string_view> names = {"path",           "size",  "hash",
                                                        "hash_algorithm", "words", "lines"};
    return names;
  }

  std::vector<Field> fields(const Outcome& outcome) const override;
  ordered_json aggregate(const RunSummary& run) const override;
  std::string save() const override;
  bool load(std::string_view bytes) override;
  std::string item_noun(std::uint64_t count) const override { return count == 1 ? "file" : "files"; }
  std::string summary_totals() const override;

 private:
  void count(const Outcome& outcome);
  XXH128_hash_t hash(const Outcome& outcome, bool has_result);

  std::string hash_algorithm_;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t words_ = 0;
  std::uint64_t lines_ = 0;
  std::uint64_t duration_us_ = 0;
  TopItems slowest_;  // by microseconds
  TopItems largest_;  // by bytes

  // Kept between outcomes, so that counting them allocates nothing.
  proto::FilesResult result_;
  OutcomeHasher hasher_;
};

XXH128_hash_t FilesKind::add(const Outcome& outcome) {
  const bool has_result = read_payload(outcome, result_);
  if (outcome.status == Status::kOk) count(outcome);
  return hash(outcome, has_result);
}

void FilesKind::count(const Outcome& outcome) {
  ++files_;
  bytes_ += result_.size();
  words_ += result_.words();
  lines_ += result_.lines();
  duration_us_ += outcome.duration_us;
  slowest_.add(outcome.duration_us, outcome.job, outcome.input);
  largest_.add(result_.size(), outcome.job, outcome.input);
}

// The same fields in the same order as fields(), without making them.
XXH128_hash_t FilesKind::hash(const Outcome& outcome, bool has_result) {
  hasher_.begin(outcome.job, outcome.status);
  if (shows_fields(outcome)) {
    hasher_.add_string(outcome.input);
  } else {
    hasher_.add_null();
  }
  if (!has_result) {
    for (int field = 0; field < 5; ++field)
      hasher_.add_null();
    return hasher_.hash();
  }
  hasher_.add_integer(result_.size());
  if (result_.hash().empty()) {
    hasher_.add_null();
  } else {
    hasher_.add_hex(result_.hash());
  }
  hasher_.add_string(hash_algorithm_);
  hasher_.add_integer(result_.words());
  hasher_.add_integer(result_.lines());
  return hasher_.hash();
}

std::vector<Field> FilesKind::fields(const Outcome& outcome) const {
  FieldValue path, size, hash, hash_algorithm, words, lines;
  if (shows_fields(outcome)) path = std::string(outcome.input);
  if (proto::FilesResult result; read_payload(outcome, result)) {
    size = result.size();
    if (!result.hash().empty()) hash = hexadecimal(result.hash());
    hash_algorithm = hash_algorithm_;
    words = result.words();
    lines = result.lines();
  }
  return {{"path", path},   {"size", size},  {"hash", hash}, {"hash_algorithm", hash_algorithm},
          {"words", words}, {"lines", lines}};
}

ordered_json FilesKind::aggregate(const RunSummary& run) const {
  ordered_json slowest = ordered_json::array();
  for (const TopItems::Item& item : slowest_.items()) {
    slowest.push_back(top_item(item));
    slowest.back()["duration_ms"] = static_cast<double>(item.value) / 1e3;
  }
  ordered_json largest = ordered_json::array();
  for (const TopItems::Item& item : largest_.items()) {
    largest.push_back(top_item(item));
    largest.back()["size"] = item.value;
  }
  const std::uint64_t average_us = files_ == 0 ? 0 : duration_us_ / files_;
  return {{"files", files_},
          {"bytes", bytes_},
          {"words", words_},
          {"lines", lines_},
          {"skipped", run.skipped},
          {"average_bytes", files_ == 0 ? 0 : bytes_ / files_},
          {"average_ms", static_cast<double>(average_us) / 1e3},
          {"slowest", std::move(slowest)},
          {"largest", std::move(largest)}};
}

std::string FilesKind::save() const {
  proto::KindState state;
  proto::FilesState& files = *state.mutable_files();
  files.set_files(files_);
  files.set_bytes(bytes_);
  files.set_words(words_);
  files.set_lines(lines_);
  files.set_duration_us(duration_us_);
  *files.mutable_slowest() = slowest_.state();
  *files.mutable_largest() = largest_.state();
  return seal_state(state);
}

bool FilesKind::load(std::string_view bytes) {
  const std::optional<proto::KindState> state = open_state(bytes);
  if (!state || !state->has_files()) return false;
  const proto::FilesState& files = state->files();
  TopItems slowest, largest;
  if (!slowest.restore(files.slowest()) || !largest.restore(files.largest())) return false;
  files_ = files.files();
  bytes_ = files.bytes();
  words_ = files.words();
  lines_ = files.lines();
  duration_us_ = files.duration_us();
  slowest_ = std::move(slowest);
  largest_ = std::move(largest);
  return true;
}

std::string FilesKind::summary_totals() const {
  return format_byte_size(bytes_) + ", " + format_items(words_, "word", "words") + ", " +
         format_items(lines_, "line", "lines");
}

}  // namespace

std::unique_ptr<Kind> make_files_kind(const proto::FilesSpec& spec) {
  return std::make_unique<FilesKind>(spec);
}

}  // namespace fantail
