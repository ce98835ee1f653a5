// The HTTP request that asks a vendor for a product. Knows no HTTP client.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kinds.pb.h"

namespace fantail {

struct VendorRequest {
  std::string url;
  std::string method;
  std::string body;
  std::vector<std::string> headers;  // "Name: value"
};

// Puts the product in the place of every {product}: percent-encoded in the URL; in a body that begins with {
// or [ escaped as the inside of a JSON string; in any other body, which is taken for a form, percent-encoded.
// A JSON body is announced as such unless the vendor's headers name its type.
VendorRequest make_vendor_request(const proto::Vendor& vendor, std::string_view product);

}  // namespace fantail
