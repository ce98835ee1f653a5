// What a vendor's answer says: price, currency and stock, at the places in the JSON body that the vendor's
// entry names. Knows no HTTP; the numbers of the transfer are only passed on.
#pragma once

#include <cstdint>
#include <string_view>

#include "kinds.pb.h"
#include "worker/processor.h"

namespace fantail {

// The payload is a serialized proto::PricesResult; a failed one holds the numbers of the transfer alone.
// Codes: bad_json, missing_price, bad_price, missing_currency, unknown_currency.
JobResult read_quote(const proto::Vendor& vendor, std::string_view json_body, std::uint64_t load_us,
                     std::uint32_t status_code);

}  // namespace fantail
