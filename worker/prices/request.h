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

// Puts the product in the place of every {product}: percent-encoded in the URL, escaped as the inside of a
// JSON string in the body. A body is announced as JSON unless the vendor's headers name its type.
VendorRequest make_vendor_request(const proto::Vendor& vendor, std::string_view product);

}  // namespace fantail
