#include "worker/http/fetch.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "pipeline/duration.h"
#include "worker/http/redirect.h"

namespace fantail {

namespace {

using std::chrono::microseconds;

}  // namespace

Fetch::Fetch(TransferEngine& engine, FetchRequest request, FetchListener& listener)
    : engine_(engine), request_(std::move(request)), listener_(listener) {
  response_.url = without_secrets(request_.url);
}

Fetch::~Fetch() {
  if (limit_) engine_.cancel(*limit_);
}

void Fetch::start() {
  arm_limit();
  start_hop();
}

void Fetch::on_permit(const std::string& host) {
  if (!waits_for_permit_ || host != request_.url.host_and_port()) return;
  waits_for_permit_ = false;
  start_hop();
}

void Fetch::arm_limit() {
  const bool has_timeout = request_.timeout > microseconds(0);
  const bool is_the_runs = request_.time_left && (!has_timeout || *request_.time_left < request_.timeout);
  if (!has_timeout && !is_the_runs) return;
  // Longer than any run; keeps the sum below from overflowing.
  constexpr microseconds kLongestLimit = std::chrono::hours(24 * 365);
  const microseconds limit = std::min(is_the_runs ? *request_.time_left : request_.timeout, kLongestLimit);
  limit_ = engine_.schedule(engine_.now() + limit, [this, is_the_runs] { on_limit(is_the_runs); });
}

void Fetch::on_limit(bool is_the_runs) {
  limit_.reset();
  if (is_the_runs) return end({StopReason::kExpired, std::nullopt});
  const std::string host = request_.url.host_and_port();
  const std::string what = waits_for_permit_ ? "no permit for the redirect to " : "no complete answer from ";
  if (transfer_) {
    read_response();
    response_.load_time += transfer_->elapsed();
  }
  end({StopReason::kNone,
       HttpError{"timeout", what + host + " within " + format_duration(request_.timeout)}});
}

void Fetch::start_hop() {
  response_.url = without_secrets(request_.url);
  response_.status_code = 0;
  response_.content_type.clear();
  response_.bytes = 0;
  TransferRequest hop;
  hop.url = request_.url.href_without_fragment();
  hop.host = request_.url.host_and_port();
  hop.method = request_.method;
  hop.headers = request_.headers;
  hop.body = request_.body;
  hop.user_agent = request_.user_agent;
  hop.ca_certificates = request_.ca_certificates;
  hop.max_body_bytes = request_.max_body_bytes;
  transfer_ = std::make_unique<Transfer>(engine_, std::move(hop), static_cast<TransferListener&>(*this));
  if (transfer_->start()) return;
  transfer_.reset();
  end({StopReason::kNone, HttpError{"http_error", "no transfer can be started"}});
}

void Fetch::on_request_written() {
  listener_.on_request_written(request_.url.host_and_port());
}

void Fetch::on_body(std::string_view bytes) {
  read_response();
  if (!redirect_location()) listener_.on_body(response_, bytes);
}

void Fetch::on_transfer_done(std::optional<HttpError> error) {
  read_response();
  response_.load_time += transfer_->elapsed();
  const std::optional<std::string> location = redirect_location();
  transfer_.reset();
  if (error || !location) return end({StopReason::kNone, std::move(error)});
  follow(*location);
}

void Fetch::read_response() {
  response_.bytes = transfer_->bytes();
  if (response_.status_code != 0) return;
  response_.status_code = transfer_->status_code();
  response_.content_type = transfer_->content_type();
  response_.retry_after = transfer_->retry_after();
}

std::optional<std::string> Fetch::redirect_location() const {
  if (!is_redirect_status(response_.status_code)) return std::nullopt;
  return transfer_->location();
}

void Fetch::follow(const std::string& location) {
  std::variant<Url, HttpError> target = parse_http_url(location, &request_.url);
  if (HttpError* error = std::get_if<HttpError>(&target)) return end({StopReason::kNone, std::move(*error)});
  if (redirects_ == request_.max_redirects) {
    const std::string last = href_without_secrets(std::get<Url>(target));
    const std::string count = std::to_string(request_.max_redirects);
    return end({StopReason::kNone,
                HttpError{"too_many_redirects", "more than " + count + " redirects, the last to " + last}});
  }
  ++redirects_;
  turn_request_to(std::get<Url>(std::move(target)));
  if (!request_.permit_every_hop) return start_hop();
  waits_for_permit_ = true;
  listener_.on_permit_wanted(request_.url.host_and_port());
}

void Fetch::turn_request_to(Url target) {
  if (!target.fragment) target.fragment = request_.url.fragment;
  if (redirect_turns_to_get(response_.status_code, request_.method)) {
    request_.method = "GET";
    request_.body.clear();
    drop_headers_of_body(request_.headers);
  }
  if (!is_same_origin(request_.url, target)) drop_headers_of_origin(request_.headers);
  request_.url = std::move(target);
}

void Fetch::end(FetchEnd end) {
  listener_.on_fetched(response_, std::move(end));  // May destroy this fetch.
}

}  // namespace fantail
