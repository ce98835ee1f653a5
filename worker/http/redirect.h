// The rules of following a redirect, as https://fetch.spec.whatwg.org/#http-redirect-fetch has them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/url/url.h"
#include "worker/http/http_error.h"

namespace fantail {

bool is_redirect_status(std::uint32_t status_code);

// A URL to be requested, given by a user or a server: http or https with a host, else the error that says so.
// base may be null.
std::variant<Url, HttpError> parse_http_url(std::string_view text, const Url* base);

// Whether the method turns into GET, and the body goes.
bool redirect_turns_to_get(std::uint32_t status_code, std::string_view method);

bool is_same_origin(const Url& left, const Url& right);

// Takes out what was meant for the first origin only: Authorization, Cookie and Host.
void drop_headers_of_origin(std::vector<std::string>& headers);

// Takes out what describes a body.
void drop_headers_of_body(std::vector<std::string>& headers);

}  // namespace fantail
