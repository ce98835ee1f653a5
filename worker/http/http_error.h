// Why an exchange failed, in the words of a job's row, and how libcurl's codes are read. Messages name the
// host and port only: a URL may carry a password.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <string>

#include "pipeline/url/url.h"

namespace fantail {

struct HttpError {
  std::string
      code;  // a stable word: timeout, dns, connect, tls, truncated, read_error, bad_url, http_error ...
  std::string message;  // one short sentence

  bool operator==(const HttpError&) const = default;
};

// Requires: code is not CURLE_OK. host is "example.com:443".
HttpError read_curl_code(CURLcode code, const std::string& host);

// The answer itself says no. Requires: status_code >= 400.
HttpError read_status_code(std::uint32_t status_code);
// Whether the same request may be answered otherwise later.
bool is_passing_status(std::uint32_t status_code);
// Whether the host asks for fewer requests.
bool is_busy_status(std::uint32_t status_code);

// The URL for rows and messages: without user name and password.
Url without_secrets(Url url);
std::string href_without_secrets(Url url);  // and without fragment

}  // namespace fantail
