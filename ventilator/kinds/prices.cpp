#include <cstdlib>

#include "pipeline/job_line.h"
#include "ventilator/kinds/http_options.h"
#include "ventilator/kinds/kind_command.h"
#include "ventilator/sources/lines.h"
#include "ventilator/sources/list.h"
#include "ventilator/sources/products.h"
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
        ->type_name("ID");
    app->add_option("--input", input_, "Read the products from FILE, one a line; - is stdin")
        ->type_name("FILE");
    app->add_option("--vendors", vendors_, "The vendors, a YAML file")->type_name("FILE")->required();
    http_.add_to(*app);
    app->footer(
        "Examples:\n  fantail run prices --product B0001 --vendors vendors.yaml\n  fantail run prices "
        "--input "
        "products.txt --vendors vendors.yaml\nWith --input-format jsonl --first each product is a race of "
        "its "
        "own: the first vendor that answers wins.");
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
    std::vector<std::string> names;
    for (proto::Vendor& vendor : std::get<std::vector<proto::Vendor>>(vendors)) {
      names.push_back(vendor.name());
      *spec.add_vendors() = std::move(vendor);
    }
    if (products_.empty() == input_.empty())
      return products_.empty() ? "say which products: --product ID or --input FILE"
                               : "give --product or --input, not both";
    std::vector<std::string> named = products_;
    for (std::string& product : named) {
      if (input_format == proto::INPUT_JOB_LINE) product = make_job_line(product);
    }
    std::unique_ptr<Source> products = make_list_source(std::move(named));
    if (!input_.empty()) {
      auto lines = make_line_source(input_, LineFormat{'\n', true});
      if (auto* failure = std::get_if<SourceError>(&lines)) return failure->message;
      products = std::move(std::get<std::unique_ptr<Source>>(lines));
    }
    request.source = make_product_source(std::move(products), std::move(names), input_format);
    return request;
  }

 private:
  std::vector<std::string> products_;
  std::string input_;
  std::string vendors_;
  HttpOptions http_;
};

}  // namespace

std::unique_ptr<KindCommand> add_prices_command(CLI::App& parent) {
  return std::make_unique<PricesCommand>(parent);
}

}  // namespace fantail
