// The kind "prices": asks one vendor for one product's price. The input is "product@vendor"; the vendors,
// with their URLs and where in the JSON answer the price is, come with the run.
#pragma once

#include <memory>

#include "kinds.pb.h"
#include "worker/http/async_processor.h"
#include "worker/http/transfer_engine.h"
#include "worker/processor.h"

namespace fantail {

// A status of 400 and above is the failure "http_status"; every failure after the vendor was asked has the
// status and the load time in its payload. In a specification, 0 stands for no timeout and the default size
// limit.
std::unique_ptr<AsyncProcessor> make_prices_processor(const proto::PricesSpec& spec, TransferEngine& engine,
                                                      AsyncEvents& events);

}  // namespace fantail
