#include "worker/http/transfer.h"

#include <utility>

namespace fantail {

Transfer::Transfer(TransferEngine& engine, TransferRequest request, TransferListener& listener)
    : engine_(engine),
      request_(std::move(request)),
      listener_(listener),
      handle_(engine.take_handle()),
      started_(engine.now()) {
  set_options();
  if (is_plain()) return;
  set_method_and_body();
  set_headers();
}

Transfer::~Transfer() {
  engine_.give_back(handle_, is_plain() ? TransferEngine::Options::kKeep : TransferEngine::Options::kForget);
  curl_slist_free_all(headers_);
}

bool Transfer::is_plain() const {
  return request_.method == "GET" && request_.body.empty() && request_.headers.empty();
}

bool Transfer::start() {
  started_ = engine_.now();
  return engine_.start(handle_);
}

void Transfer::set_options() {
  curl_easy_setopt(handle_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(handle_, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(handle_, CURLOPT_USERAGENT, request_.user_agent.c_str());
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &Transfer::write);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle_, CURLOPT_PREREQFUNCTION, &Transfer::before_request);
  curl_easy_setopt(handle_, CURLOPT_PREREQDATA, this);
  // Waits a moment for a connection that other exchanges share rather than open its own. Without TLS it is
  // never shared, and waiting for the first answer would tell nothing else.
  curl_easy_setopt(handle_, CURLOPT_PIPEWAIT, request_.url.starts_with("https:") ? 1L : 0L);
  // libcurl only reads it, whatever the pointer's type says.
  curl_blob blob{const_cast<char*>(request_.ca_certificates.data()), request_.ca_certificates.size(),
                 CURL_BLOB_NOCOPY};
  curl_easy_setopt(handle_, CURLOPT_CAINFO_BLOB, request_.ca_certificates.empty() ? nullptr : &blob);
}

void Transfer::set_method_and_body() {
  if (request_.method == "HEAD") {
    curl_easy_setopt(handle_, CURLOPT_NOBODY, 1L);
    return;
  }
  if (!request_.body.empty() || request_.method == "POST") {
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void Transfer::set_headers() {
  // Without it libcurl asks before it sends a large body, and waits a second where nobody answers.
  headers_ = curl_slist_append(headers_, "Expect:");
  for (const std::string& header : request_.headers)
    headers_ = curl_slist_append(headers_, header.c_str());
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers_);
}

std::uint32_t Transfer::status_code() const {
  long code = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &code);
  return static_cast<std::uint32_t>(code);
}

std::string Transfer::content_type() const {
  const char* value = nullptr;
  curl_easy_getinfo(handle_, CURLINFO_CONTENT_TYPE, &value);
  return value == nullptr ? std::string() : std::string(value);
}

std::optional<std::string> Transfer::location() const {
  curl_header* header = nullptr;
  if (curl_easy_header(handle_, "Location", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return std::nullopt;
  return std::string(header->value);
}

std::chrono::seconds Transfer::retry_after() const {
  curl_off_t seconds = 0;
  curl_easy_getinfo(handle_, CURLINFO_RETRY_AFTER, &seconds);
  return std::chrono::seconds(seconds);
}

std::chrono::microseconds Transfer::elapsed() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(ended_.value_or(engine_.now()) - started_);
}

void Transfer::on_done(CURLcode code) {
  ended_ = engine_.now();
  std::optional<HttpError> error;
  if (body_too_large_) {
    error = {"body_too_large", "the answer of " + request_.host + " is larger than " +
                                   std::to_string(request_.max_body_bytes) + " bytes"};
  } else if (code != CURLE_OK) {
    error = read_curl_code(code, request_.host);
  }
  listener_.on_transfer_done(std::move(error));
}

std::size_t Transfer::write(char* data, std::size_t size, std::size_t count, void* self) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  const std::size_t length = size * count;
  // libcurl 7.88 has no limit of its own for decompressed bytes.
  if (length > transfer.request_.max_body_bytes - transfer.bytes_) {
    transfer.body_too_large_ = true;
    transfer.bytes_ = transfer.request_.max_body_bytes;
    return CURL_WRITEFUNC_ERROR;
  }
  transfer.bytes_ += length;
  transfer.listener_.on_body({data, length});
  return length;
}

int Transfer::before_request(void* self, char*, char*, int, int) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  if (!std::exchange(transfer.request_written_, true)) transfer.listener_.on_request_written();
  return CURL_PREREQFUNC_OK;
}

}  // namespace fantail
