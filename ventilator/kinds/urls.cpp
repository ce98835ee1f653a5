#include "pipeline/app/command_line.h"
#include "ventilator/kinds/http_options.h"
#include "ventilator/kinds/kind_command.h"
#include "ventilator/sources/lines.h"
#include "ventilator/sources/list.h"

namespace fantail {

namespace {

constexpr std::uint32_t kRedirectsMax = 10;

class UrlsCommand : public KindCommand {
 public:
  explicit UrlsCommand(CLI::App& parent) {
    app = parent.add_subcommand("urls", "Status, title, words and links of every page");
    app->add_option("urls", urls_, "Pages to get")->type_name("URL");
    app->add_option("--input", input_, "Read the URLs from FILE, one a line; - is stdin")->type_name("FILE");
    add_duration(*app, "--timeout", timeout_, "Longest time for one page [10s]");
    app->add_option("--header", headers_, "Send this header too, 'Name: value'; may be repeated")
        ->type_name("HEADER")
        ->allow_extra_args(false);
    app->add_option("--per-host", per_host_,
                    "Requests in flight to one host and port; 0: no limit. One that answers 429 or 503 rests")
        ->capture_default_str();
    add_duration(*app, "--delay", delay_, "Time between two requests to one host and port [0s]");
    http_.add_to(*app);
    app->footer(
        "Examples:\n  fantail run urls https://example.com/\n  fantail run urls --input urls.txt --delay "
        "200ms --output pages.jsonl");
  }

  std::variant<RunRequest, std::string> make_request() override {
    RunRequest request;
    request.kind = "urls";
    request.asynchronous = true;
    request.hosts = HostPolicy{per_host_, delay_};
    proto::UrlsSpec& spec = *request.spec.mutable_urls();
    spec.set_timeout_us(static_cast<std::uint64_t>(timeout_.count()));
    spec.set_max_body_bytes(http_.max_body_bytes);
    spec.set_max_redirects(kRedirectsMax);
    spec.set_user_agent(http_.user_agent);
    spec.set_permit_every_hop(request.hosts.limits());
    for (const std::string& header : headers_) {
      if (header.find(':') == std::string::npos || header.find_first_of("\r\n") != std::string::npos) {
        return "--header \"" + header + "\" is no header: write 'Name: value'";
      }
      spec.add_headers(header);
    }
    std::string error;
    const std::optional<std::string> certificates = http_.read_ca_certificates(error);
    if (!certificates) return error;
    spec.set_ca_certificates(*certificates);
    if (!urls_.empty() && !input_.empty()) return "give URLs or --input, not both";
    if (urls_.empty() && input_.empty()) return "say which pages: URL… or --input FILE";
    if (input_.empty()) {
      request.source = make_list_source(urls_);
      return request;
    }
    auto source = make_line_source(input_, LineFormat{'\n', true});
    if (auto* failure = std::get_if<SourceError>(&source)) return failure->message;
    request.source = std::move(std::get<std::unique_ptr<Source>>(source));
    return request;
  }

 private:
  std::vector<std::string> urls_;
  std::string input_;
  Duration timeout_ = std::chrono::seconds(10);
  std::vector<std::string> headers_;
  std::uint32_t per_host_ = 8;
  Duration delay_{0};
  HttpOptions http_;
};

}  // namespace

std::unique_ptr<KindCommand> add_urls_command(CLI::App& parent) {
  return std::make_unique<UrlsCommand>(parent);
}

}  // namespace fantail
