#include <cstdlib>

#include "pipeline/price_input.h"
#include "ventilator/kinds/http_options.h"
#include "ventilator/kinds/kind_command.h"
#include "ventilator/sources/list.h"
#include "ventilator/sources/vendors.h"

namespace fantail {

namespace {

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

class PricesCommand : public KindCommand {
 public:
  explicit PricesCommand(CLI::App& parent) {
    app = parent.add_subcommand("prices", "Every product's price at every vendor, and the best one");
    app->add_option("--product", products_, "A product as the vendors call it; may be repeated")
        ->type_name("ID")
        ->required();
    app->add_option("--vendors", vendors_, "The vendors, a YAML file")->type_name("FILE")->required();
    http_.add_to(*app);
    app->footer("Examples:\n  fantail run prices --product B0001 --vendors vendors.yaml");
  }

  std::variant<RunRequest, std::string> make_request() override {
    auto vendors = read_vendors(vendors_, environment);
    if (auto* error = std::get_if<std::string>(&vendors)) return *error;
    RunRequest request;
    request.kind = "prices";
    request.asynchronous = true;
    proto::PricesSpec& spec = *request.spec.mutable_prices();
    spec.set_user_agent(http_.user_agent);
    spec.set_max_body_bytes(http_.max_body_bytes);
    std::string error;
    const std::optional<std::string> certificates = http_.read_ca_certificates(error);
    if (!certificates) return error;
    spec.set_ca_certificates(*certificates);
    std::vector<std::string> inputs;
    for (const std::string& product : products_) {
      for (const proto::Vendor& vendor : std::get<std::vector<proto::Vendor>>(vendors)) {
        inputs.push_back(join_price_input(product, vendor.name()));
      }
    }
    for (proto::Vendor& vendor : std::get<std::vector<proto::Vendor>>(vendors))
      *spec.add_vendors() = std::move(vendor);
    request.source = make_list_source(std::move(inputs));
    return request;
  }

 private:
  std::vector<std::string> products_;
  std::string vendors_;
  HttpOptions http_;
};

}  // namespace

std::unique_ptr<KindCommand> add_prices_command(CLI::App& parent) {
  return std::make_unique<PricesCommand>(parent);
}

}  // namespace fantail
