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

constexpr std::string_view kDefaultUserAgent = "fantail";

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
  void on_body(const Response& response, std::string_view bytes) override {
    if (!scanner_) {
      if (response.status_code >= 400 || !is_html(response.content_type)) return;
      scanner_.emplace(response.content_type, response.url);
    }
    scanner_->feed(bytes);
  }

  JobResult finish(const Response& response, const std::optional<HttpError>& error) override {
    proto::UrlsResult result;
    result.set_final_url(response.url.href());
    result.set_status_code(response.status_code);
    result.set_bytes(response.bytes);
    result.set_load_us(to_raw_us(response.load_time));
    if (error) return JobResult::failed(error->code, error->message, result.SerializeAsString());
    if (scanner_) {
      Page page = scanner_->finish();
      result.set_title(std::move(page.title));
      result.set_words(page.words);
      for (std::string& link : page.links)
        result.add_links(std::move(link));
    }
    return JobResult::ok(result.SerializeAsString());
  }

 private:
  std::optional<PageScanner> scanner_;
};

// spec must outlive the plan.
std::variant<FetchPlan, HttpError> make_plan(const proto::UrlsSpec& spec, std::string_view input) {
  std::variant<Url, HttpError> url = parse_http_url(input, nullptr);
  if (HttpError* error = std::get_if<HttpError>(&url)) return std::move(*error);
  FetchPlan plan;
  plan.request.url = std::get<Url>(std::move(url));
  plan.request.headers.assign(spec.headers().begin(), spec.headers().end());
  plan.request.user_agent =
      spec.user_agent().empty() ? kDefaultUserAgent : std::string_view(spec.user_agent());
  plan.request.ca_certificates = spec.ca_certificates();
  plan.request.timeout = from_raw_us(spec.timeout_us());
  if (spec.max_body_bytes() != 0) plan.request.max_body_bytes = spec.max_body_bytes();
  plan.request.max_redirects = spec.max_redirects();
  plan.request.permit_every_hop = spec.permit_every_hop();
  plan.reader = std::make_unique<PageReader>();
  return plan;
}

}  // namespace

std::unique_ptr<AsyncProcessor> make_urls_processor(const proto::UrlsSpec& spec, TransferEngine& engine,
                                                    AsyncEvents& events) {
  return std::make_unique<FetchProcessor>(
      engine, events, [spec = std::make_shared<const proto::UrlsSpec>(spec)](std::string_view input) {
        return make_plan(*spec, input);
      });
}

}  // namespace fantail
