// The kind "urls": gets one page and reads it while it arrives: status, final URL, title, words, links, bytes
// and load time. The input is an absolute http or https URL.
#pragma once

#include <memory>

#include "kinds.pb.h"
#include "worker/http/async_processor.h"
#include "worker/http/transfer_engine.h"
#include "worker/processor.h"

namespace fantail {

// A page whose Content-Type is not HTML counts its bytes only. A status of 400 and above is the failure
// "http_status"; every failure has what is known in its payload: final URL, status, bytes and load time. The
// load time is the sum of all exchanges, redirects included; waiting for a permit between them does not
// count, though it does count against the timeout. In a specification, 0 stands for no timeout and the
// default size limit.
std::unique_ptr<AsyncProcessor> make_urls_processor(const proto::UrlsSpec& spec, TransferEngine& engine,
                                                    AsyncEvents& events);

}  // namespace fantail
