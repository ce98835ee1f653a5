#include "sink/kinds/urls.h"

#include <array>
#include <nlohmann/json.hpp>

#include "kinds.pb.h"
#include "pipeline/byte_size.h"
#include "pipeline/number.h"
#include "sink/kinds/kind_state.h"
#include "sink/kinds/load_histogram.h"
#include "sink/kinds/payload.h"

namespace fantail {

namespace {

using nlohmann::ordered_json;

// Three digits, as HTTP has them. Whatever else a worker sends, 0 included, stands for "no response came".
bool is_status_code(std::uint32_t code) {
  return code >= 100 && code <= 999;
}

// A response that never came has no title, no words and no bytes, which is not the same as none of them.
std::vector<Field> make_fields(const Outcome& outcome, const proto::UrlsResult* result) {
  FieldValue url, final_url, status_code, title, words, links, bytes, load_ms;
  if (shows_fields(outcome)) url = std::string(outcome.input);
  if (result != nullptr) {
    if (!result->final_url().empty()) final_url = result->final_url();
    if (is_status_code(result->status_code())) {
      status_code = std::uint64_t{result->status_code()};
      title = result->title();
      words = result->words();
      links = std::vector<std::string>(result->links().begin(), result->links().end());
      bytes = result->bytes();
    }
    load_ms = as_milliseconds(result->load_us());
  }
  return {{"url", std::move(url)},
          {"final_url", std::move(final_url)},
          {"status_code", std::move(status_code)},
          {"title", std::move(title)},
          {"words", std::move(words)},
          {"links", std::move(links)},
          {"bytes", std::move(bytes)},
          {"load_ms", std::move(load_ms)}};
}

class UrlsKind final : public Kind {
 public:
  std::unique_ptr<Kind> clone() const override { return std::make_unique<UrlsKind>(*this); }
  std::string_view name() const override { return "urls"; }

  XXH128_hash_t add(const Outcome& outcome) override {
    const bool has_result = read_payload(outcome, result_);
    if (has_result && is_status_code(result_.status_code())) ++status_codes_[result_.status_code()];
    if (outcome.status == Status::kOk) count_page();
    hash_fields(outcome, has_result);
    return hasher_.hash();
  }

  const std::vector<std::string_view>& field_names() const override {
    static const std::vector<std::string_view> names = {"url",   "final_url", "status_code", "title",
                                                        "words", "links",     "bytes",       "load_ms"};
    return names;
  }

  std::vector<Field> fields(const Outcome& outcome) const override {
    proto::UrlsResult result;
    return make_fields(outcome, read_payload(outcome, result) ? &result : nullptr);
  }

  ordered_json aggregate(const RunSummary&) const override {
    ordered_json status_codes = ordered_json::object();
    for (std::size_t code = 0; code < status_codes_.size(); ++code) {
      if (status_codes_[code] > 0) status_codes[std::to_string(code)] = status_codes_[code];
    }
    return {{"pages", pages_},
            {"words", words_},
            {"links", links_},
            {"bytes", bytes_},
            {"status_codes", std::move(status_codes)},
            {"load_histogram_ms", load_times_.json()}};
  }

  std::string save() const override;
  bool load(std::string_view bytes) override;

  std::string item_noun(std::uint64_t count) const override { return count == 1 ? "page" : "pages"; }

  std::string summary_totals() const override {
    return format_items(words_, "word", "words") + ", " + format_items(links_, "link", "links") + ", " +
           format_byte_size(bytes_);
  }

 private:
  // The values of make_fields but for the load time, without making them: a page has many links.
  void hash_fields(const Outcome& outcome, bool has_result) {
    hasher_.begin(outcome.job, outcome.status);
    const auto add_string = [this](bool is_known, std::string_view text) {
      if (is_known) {
        hasher_.add_string(text);
      } else {
        hasher_.add_null();
      }
    };
    add_string(shows_fields(outcome), outcome.input);
    add_string(has_result && !result_.final_url().empty(), result_.final_url());
    if (!has_result || !is_status_code(result_.status_code())) {
      for (int field = 0; field < 5; ++field)
        hasher_.add_null();
      return;
    }
    hasher_.add_integer(result_.status_code());
    hasher_.add_string(result_.title());
    hasher_.add_integer(result_.words());
    hasher_.begin_list(static_cast<std::size_t>(result_.links_size()));
    for (const std::string& link : result_.links())
      hasher_.add_to_list(link);
    hasher_.add_integer(result_.bytes());
  }

  void count_page() {
    ++pages_;
    words_ += result_.words();
    links_ += static_cast<std::uint64_t>(result_.links_size());
    bytes_ += result_.bytes();
    load_times_.add(result_.load_us());
  }

  std::uint64_t pages_ = 0;
  std::uint64_t words_ = 0;
  std::uint64_t links_ = 0;
  std::uint64_t bytes_ = 0;
  std::array<std::uint64_t, 1000> status_codes_{};  // of failed pages too
  LoadHistogram load_times_;

  proto::UrlsResult result_;  // kept between outcomes
  OutcomeHasher hasher_;
};

std::string UrlsKind::save() const {
  proto::KindState state;
  proto::UrlsState& urls = *state.mutable_urls();
  urls.set_pages(pages_);
  urls.set_words(words_);
  urls.set_links(links_);
  urls.set_bytes(bytes_);
  for (std::uint32_t code = 0; code < status_codes_.size(); ++code) {
    if (status_codes_[code] == 0) continue;
    proto::StatusCodeCount& count = *urls.add_status_codes();
    count.set_code(code);
    count.set_count(status_codes_[code]);
  }
  *urls.mutable_load_times() = load_times_.state();
  return seal_state(state);
}

bool UrlsKind::load(std::string_view bytes) {
  const std::optional<proto::KindState> state = open_state(bytes);
  if (!state || !state->has_urls()) return false;
  const proto::UrlsState& urls = state->urls();
  std::array<std::uint64_t, 1000> status_codes{};
  for (const proto::StatusCodeCount& count : urls.status_codes()) {
    if (!is_status_code(count.code())) return false;
    status_codes[count.code()] = count.count();
  }
  LoadHistogram load_times;
  if (!load_times.restore(urls.load_times())) return false;
  pages_ = urls.pages();
  words_ = urls.words();
  links_ = urls.links();
  bytes_ = urls.bytes();
  status_codes_ = status_codes;
  load_times_ = load_times;
  return true;
}

}  // namespace

std::unique_ptr<Kind> make_urls_kind() {
  return std::make_unique<UrlsKind>();
}

}  // namespace fantail
