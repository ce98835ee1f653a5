#include "worker/processors/urls.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "worker/html/page_scanner.h"
#include "worker/http/fetch_processor.h"
#include "worker/http/microseconds.h"
#include "worker/http/redirect.h"

namespace fantail {

namespace {

bool is_html(std::string_view content_type) {
  constexpr std::string_view kBlanks = " \t";
  std::string type(content_type.substr(0, content_type.find(';')));
  type.erase(0, type.find_first_not_of(kBlanks));
  type.erase(type.find_last_not_of(kBlanks) + 1);
  std::ranges::transform(type, type.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return type.empty() || type == "text/html" || type == "application/xhtml+xml";
}

class PageReader : public AnswerReader {
 public:
  // The message is the same for all readers, for its memory, and must outlive them.
  explicit PageReader(proto::UrlsResult& result) : result_(result) {}

  void on_body(const Response& response, std::string_view bytes) override {
    if (!scanner_) {
      if (response.status_code >= 400 || !is_html(response.content_type)) return;
      scanner_.emplace(response.content_type, response.url);
    }
    scanner_->feed(bytes);
  }

  JobResult finish(const Response& response, const std::optional<HttpError>& error) override {
    result_.Clear();
    result_.set_final_url(response.url.href());
    result_.set_status_code(response.status_code);
    result_.set_bytes(response.bytes);
    result_.set_load_us(to_raw_us(response.load_time));
    if (error) return JobResult::failed(error->code, error->message, result_.SerializeAsString());
    if (scanner_) {
      const Page page = scanner_->finish();
      result_.set_title(page.title);
      result_.set_words(page.words);
      for (std::size_t i = 0; i < page.links.size(); ++i)
        result_.add_links(page.links[i].data(), page.links[i].size());
    }
    return JobResult::ok(result_.SerializeAsString());
  }

 private:
  proto::UrlsResult& result_;
  std::optional<PageScanner> scanner_;
};

// What all jobs of a run share.
struct UrlsRun {
  proto::UrlsSpec spec;
  proto::UrlsResult result;  // for the readers, one after the other
};

// The run must outlive the plan.
std::variant<FetchPlan, HttpError> make_plan(UrlsRun& run, std::string_view input) {
  const proto::UrlsSpec& spec = run.spec;
  std::variant<Url, HttpError> url = parse_http_url(input, nullptr);
  if (HttpError* error = std::get_if<HttpError>(&url)) return std::move(*error);
  FetchPlan plan;
  plan.request.url = std::get<Url>(std::move(url));
  plan.request.headers.assign(spec.headers().begin(), spec.headers().end());
  if (!spec.user_agent().empty()) plan.request.user_agent = spec.user_agent();
  plan.request.ca_certificates = spec.ca_certificates();
  plan.request.timeout = from_raw_us(spec.timeout_us());
  if (spec.max_body_bytes() != 0) plan.request.max_body_bytes = spec.max_body_bytes();
  plan.request.max_redirects = spec.max_redirects();
  plan.request.permit_every_hop = spec.permit_every_hop();
  plan.reader = std::make_unique<PageReader>(run.result);
  return plan;
}

}  // namespace

std::unique_ptr<AsyncProcessor> make_urls_processor(const proto::UrlsSpec& spec, TransferEngine& engine,
                                                    AsyncEvents& events) {
  return std::make_unique<FetchProcessor>(
      engine, events, [run = std::make_shared<UrlsRun>(UrlsRun{spec, {}})](std::string_view input) {
        return make_plan(*run, input);
      });
}

}  // namespace fantail
