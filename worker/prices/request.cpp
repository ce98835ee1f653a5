#include "worker/prices/request.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "pipeline/url/ascii.h"
#include "pipeline/url/url.h"

namespace fantail {

namespace {

constexpr std::string_view kPlaceholder = "{product}";

// One pass: a product that looks like the placeholder stays as it is.
std::string with_product(std::string_view text, std::string_view product) {
  std::string filled;
  for (std::size_t at = text.find(kPlaceholder); at != std::string_view::npos; at = text.find(kPlaceholder)) {
    filled.append(text.substr(0, at)).append(product);
    text.remove_prefix(at + kPlaceholder.size());
  }
  return filled.append(text);
}

// Bytes that are not UTF-8 become U+FFFD: JSON has no other way.
std::string json_escaped(std::string_view text) {
  const std::string quoted =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

// A form never begins like this; what JSON bodies for an API begin with are these two.
bool is_json(std::string_view body) {
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && (body[begin] == '{' || body[begin] == '[');
}

bool names_content_type(const std::string& header) {
  return to_ascii_lower(header).starts_with("content-type:");
}

}  // namespace

VendorRequest make_vendor_request(const proto::Vendor& vendor, std::string_view product) {
  VendorRequest request;
  const std::string encoded = percent_encode_component(product);
  request.url = with_product(vendor.url(), encoded);
  request.method = vendor.method();
  const bool has_json_body = is_json(vendor.body());
  request.body = with_product(vendor.body(), has_json_body ? json_escaped(product) : encoded);
  request.headers.assign(vendor.headers().begin(), vendor.headers().end());
  if (has_json_body && std::ranges::none_of(request.headers, names_content_type))
    request.headers.push_back("Content-Type: application/json");
  return request;
}

}  // namespace fantail
