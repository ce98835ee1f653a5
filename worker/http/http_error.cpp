#include "worker/http/http_error.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string_view>
#include <utility>

namespace fantail {

namespace {

// RFC 9110 section 15.5 and 15.6, with the few later ones that servers use.
constexpr std::array kReasonPhrases = std::to_array<std::pair<std::uint32_t, std::string_view>>({
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {511, "Network Authentication Required"},
});

}  // namespace

HttpError read_curl_code(CURLcode code, const std::string& host) {
  assert(code != CURLE_OK);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {"timeout", "no answer from " + host + " in time"};
    case CURLE_COULDNT_RESOLVE_HOST:
      return {"dns", "the name of " + host + " has no address"};
    case CURLE_COULDNT_CONNECT:
      return {"connect", "cannot connect to " + host};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {"tls", "the certificate of " + host + " cannot be verified"};
    case CURLE_SSL_CACERT_BADFILE:
      return {"tls", "the trusted certificates given cannot be read"};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CLIENTCERT:
      return {"tls", "no TLS connection with " + host};
    case CURLE_PARTIAL_FILE:
      return {"truncated", "the answer of " + host + " ended early"};
    case CURLE_GOT_NOTHING:
      return {"read_error", host + " closed the connection without an answer"};
    case CURLE_RECV_ERROR:
      return {"read_error", "the connection to " + host + " broke while reading"};
    case CURLE_SEND_ERROR:
      return {"read_error", "the connection to " + host + " broke while sending the request"};
    case CURLE_URL_MALFORMAT:
      return {"bad_url", "the URL at " + host + " cannot be requested"};
    case CURLE_BAD_CONTENT_ENCODING:
      return {"http_error", "the answer of " + host + " cannot be decompressed"};
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return {"http_error", host + " does not speak HTTP"};
    default:
      return {"http_error", "the exchange with " + host + " failed: " + curl_easy_strerror(code)};
  }
}

HttpError read_status_code(std::uint32_t status_code) {
  assert(status_code >= 400);
  std::string message = "HTTP " + std::to_string(status_code);
  const auto found =
      std::ranges::find(kReasonPhrases, status_code, [](const auto& row) { return row.first; });
  if (found != kReasonPhrases.end()) message.append(" ").append(found->second);
  return {"http_status", std::move(message)};
}

Url without_secrets(Url url) {
  url.username.clear();
  url.password.clear();
  return url;
}

std::string href_without_secrets(Url url) {
  return without_secrets(std::move(url)).href_without_fragment();
}

bool is_passing_status(std::uint32_t status_code) {
  constexpr std::uint32_t kPassing[] = {408, 421, 425, 429, 500, 502, 503, 504};
  return std::ranges::find(kPassing, status_code) != std::end(kPassing);
}

bool is_busy_status(std::uint32_t status_code) {
  return status_code == 429 || status_code == 503;
}

}  // namespace fantail
