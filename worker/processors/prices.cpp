#include "worker/processors/prices.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "pipeline/price_input.h"
#include "worker/http/fetch_processor.h"
#include "worker/http/microseconds.h"
#include "worker/http/redirect.h"
#include "worker/prices/quote.h"
#include "worker/prices/request.h"

namespace fantail {

namespace {

class QuoteReader : public AnswerReader {
 public:
  explicit QuoteReader(const proto::Vendor& vendor) : vendor_(vendor) {}

  // The fetch's size limit bounds it.
  void on_body(const Response&, std::string_view bytes) override { body_.append(bytes); }

  JobResult finish(const Response& response, const std::optional<HttpError>& error) override {
    if (!error) return read_quote(vendor_, body_, to_raw_us(response.load_time), response.status_code);
    proto::PricesResult result;
    result.set_load_us(to_raw_us(response.load_time));
    result.set_status_code(response.status_code);
    return JobResult::failed(error->code, error->message, result.SerializeAsString());
  }

 private:
  const proto::Vendor& vendor_;
  std::string body_;
};

// The vendors of a run, found by name.
class VendorDirectory {
 public:
  explicit VendorDirectory(const proto::PricesSpec& spec) : spec_(spec) {
    for (const proto::Vendor& vendor : spec_.vendors())
      by_name_.emplace(vendor.name(), &vendor);
  }
  VendorDirectory(const VendorDirectory&) = delete;
  VendorDirectory& operator=(const VendorDirectory&) = delete;

  const proto::PricesSpec& spec() const { return spec_; }
  const proto::Vendor* find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  const proto::PricesSpec spec_;
  std::unordered_map<std::string, const proto::Vendor*> by_name_;
};

// The directory must outlive the plan.
std::variant<FetchPlan, HttpError> make_plan(const VendorDirectory& vendors, std::string_view input) {
  const auto product_and_vendor = split_price_input(input);
  if (!product_and_vendor) return HttpError{"bad_input", "the input is not product@vendor"};
  const auto& [product, name] = *product_and_vendor;
  const proto::Vendor* vendor = vendors.find(name);
  if (vendor == nullptr) return HttpError{"bad_vendor", "the vendors file has no vendor of that name"};
  VendorRequest request = make_vendor_request(*vendor, product);
  std::variant<Url, HttpError> url = parse_http_url(request.url, nullptr);
  if (HttpError* error = std::get_if<HttpError>(&url)) return std::move(*error);
  FetchPlan plan;
  plan.request.url = std::get<Url>(std::move(url));
  if (!request.method.empty()) plan.request.method = std::move(request.method);
  plan.request.headers = std::move(request.headers);
  plan.request.body = std::move(request.body);
  const proto::PricesSpec& spec = vendors.spec();
  if (!spec.user_agent().empty()) plan.request.user_agent = spec.user_agent();
  plan.request.ca_certificates = spec.ca_certificates();
  plan.request.timeout = from_raw_us(vendor->timeout_us());
  if (spec.max_body_bytes() != 0) plan.request.max_body_bytes = spec.max_body_bytes();
  plan.reader = std::make_unique<QuoteReader>(*vendor);
  return plan;
}

}  // namespace

std::unique_ptr<AsyncProcessor> make_prices_processor(const proto::PricesSpec& spec, TransferEngine& engine,
                                                      AsyncEvents& events) {
  return std::make_unique<FetchProcessor>(
      engine, events, [vendors = std::make_shared<const VendorDirectory>(spec)](std::string_view input) {
        return make_plan(*vendors, input);
      });
}

}  // namespace fantail
