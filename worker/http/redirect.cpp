#include "worker/http/redirect.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

namespace fantail {

namespace {

char to_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// Names are lower case.
void drop_headers(std::vector<std::string>& headers, std::span<const std::string_view> names) {
  std::erase_if(headers, [names](const std::string& header) {
    // "Name;" is libcurl's way to write a header without a value.
    std::string name = header.substr(0, header.find_first_of(":;"));
    name.erase(name.find_last_not_of(" \t") + 1);
    std::ranges::transform(name, name.begin(), to_lower);
    return std::ranges::find(names, name) != names.end();
  });
}

}  // namespace

bool is_redirect_status(std::uint32_t status_code) {
  return (status_code >= 301 && status_code <= 303) || status_code == 307 || status_code == 308;
}

std::variant<Url, HttpError> parse_http_url(std::string_view text, const Url* base) {
  std::optional<Url> url = parse_url(text, base);
  if (!url) {
    return HttpError{"bad_url", base == nullptr
                                    ? "not a URL: write it with its scheme, such as https://example.com/"
                                    : "the redirect from " + base->host_and_port() + " names no valid URL"};
  }
  if (!url->is_http()) {
    // "example.com:8080/" parses as a URL too, with the scheme "example.com".
    return HttpError{"unsupported_scheme",
                     "only http:// and https:// can be fetched, not " + url->scheme + ":"};
  }
  return *std::move(url);
}

bool redirect_turns_to_get(std::uint32_t status_code, std::string_view method) {
  if (status_code == 303) return method != "GET" && method != "HEAD";
  return (status_code == 301 || status_code == 302) && method == "POST";
}

bool is_same_origin(const Url& left, const Url& right) {
  return left.scheme == right.scheme && left.host == right.host &&
         left.effective_port() == right.effective_port();
}

void drop_headers_of_origin(std::vector<std::string>& headers) {
  static constexpr std::array<std::string_view, 3> kNames = {"authorization", "cookie", "host"};
  drop_headers(headers, kNames);
}

void drop_headers_of_body(std::vector<std::string>& headers) {
  static constexpr std::array<std::string_view, 4> kNames = {"content-encoding", "content-language",
                                                             "content-length", "content-type"};
  drop_headers(headers, kNames);
}

}  // namespace fantail
