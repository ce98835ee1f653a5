#include "pipeline/url/parser.h"

#include <algorithm>
#include <utility>

#include "pipeline/url/ascii.h"
#include "pipeline/url/host.h"
#include "pipeline/url/path.h"
#include "pipeline/url/percent.h"
#include "pipeline/url/scheme.h"
#include "pipeline/url/utf8.h"

namespace fantail {
namespace {

// Hostile and careless input made regular: no surrounding controls and spaces, no tabs and line ends
// anywhere.
std::string cleaned(std::string_view input) {
  std::string text = to_valid_utf8(input);
  const auto is_trimmed = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  text.erase(std::find_if_not(text.rbegin(), text.rend(), is_trimmed).base(), text.end());
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_trimmed));
  std::erase_if(text, [](char c) { return c == '\t' || c == '\n' || c == '\r'; });
  return text;
}

bool is_scheme_character(char c) {
  return is_ascii_alpha(c) || is_ascii_digit(c) || c == '+' || c == '-' || c == '.';
}

std::string percent_encoded(std::string_view text, const EncodeSet& set) {
  std::string out;
  append_percent_encoded(out, text, set);
  return out;
}

// Where the first colon outside of brackets is; npos if there is none.
std::size_t find_port_colon(std::string_view text) {
  bool inside_brackets = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ':' && !inside_brackets) return i;
    if (text[i] == '[') inside_brackets = true;
    if (text[i] == ']') inside_brackets = false;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<Url> parse_url(std::string_view input, const Url* base) {
  return UrlParser(input, base).parse();
}

UrlParser::UrlParser(std::string_view input, const Url* base) : input_(cleaned(input)), base_(base) {}

std::optional<Url> UrlParser::parse() {
  if (!scheme_state()) return std::nullopt;
  return std::move(url_);
}

bool UrlParser::scheme_state() {
  const auto end = std::find_if_not(input_.begin(), input_.end(), is_scheme_character);
  if (end == input_.end() || *end != ':' || !is_ascii_alpha(input_.front())) return no_scheme_state();
  url_.scheme = to_ascii_lower(std::string_view(input_.begin(), end));
  position_ = url_.scheme.size() + 1;
  return after_scheme();
}

bool UrlParser::after_scheme() {
  if (is_file()) return file_state();
  if (is_special()) {
    // "http:page" is relative to a base of the same scheme; without one it is a host.
    const bool can_be_relative = base_ != nullptr && base_->scheme == url_.scheme;
    return can_be_relative && !rest().starts_with("//") ? relative_state() : authority_slashes_state();
  }
  if (rest().starts_with("//")) {
    position_ += 2;
    return authority_state();
  }
  return rest().starts_with('/') ? path_start_state() : opaque_path_state();
}

bool UrlParser::no_scheme_state() {
  if (base_ == nullptr) return false;
  if (base_->has_opaque_path) {
    if (!rest().starts_with('#')) return false;
    url_ = *base_;
    url_.fragment.reset();
    return tail_state();
  }
  url_.scheme = base_->scheme;
  return is_file() ? file_state() : relative_state();
}

bool UrlParser::relative_state() {
  if (at_slash()) return relative_slash_state();
  copy_authority_of_base();
  url_.path = base_->path;
  if (rest_is_path()) {
    remove_last_segment(url_.path, is_file());
    return path_state();
  }
  url_.query = base_->query;
  return tail_state();
}

bool UrlParser::relative_slash_state() {
  ++position_;
  if (at_slash()) {
    ++position_;
    return is_special() ? authority_slashes_state() : authority_state();
  }
  copy_authority_of_base();
  return path_state();
}

// Any number of slashes in either direction leads to the host of a special scheme.
bool UrlParser::authority_slashes_state() {
  while (at_slash())
    ++position_;
  return authority_state();
}

bool UrlParser::authority_state() {
  std::string_view text = take_until_path_end();
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    credentials(text.substr(0, at));
    text.remove_prefix(at + 1);
    if (text.empty()) return false;
  }
  const std::size_t colon = find_port_colon(text);
  if (colon == 0) return false;
  if (!host_state(text.substr(0, colon))) return false;
  if (colon != std::string_view::npos && !port_state(text.substr(colon + 1))) return false;
  return path_start_state();
}

void UrlParser::credentials(std::string_view text) {
  const std::size_t colon = text.find(':');
  url_.username = percent_encoded(text.substr(0, colon), kUserinfoEncodeSet);
  if (colon != std::string_view::npos)
    url_.password = percent_encoded(text.substr(colon + 1), kUserinfoEncodeSet);
}

bool UrlParser::host_state(std::string_view text) {
  if (text.empty()) {
    url_.host = "";
    return !is_special();
  }
  url_.host = parse_host(text, is_special() ? HostKind::kDomain : HostKind::kOpaque);
  return url_.host.has_value();
}

bool UrlParser::port_state(std::string_view text) {
  std::uint32_t port = 0;
  for (const char c : text) {
    if (!is_ascii_digit(c)) return false;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
    if (port > 0xFFFF) return false;
  }
  if (!text.empty() && port != default_port(url_.scheme)) url_.port = static_cast<std::uint16_t>(port);
  return true;
}

bool UrlParser::file_state() {
  url_.host = "";
  if (at_slash()) return file_slash_state();
  if (!base_is_file()) return path_state();
  url_.host = base_->host;
  if (!rest_is_path()) {
    url_.path = base_->path;
    url_.query = base_->query;
    return tail_state();
  }
  if (!starts_with_windows_drive_letter(rest())) {
    url_.path = base_->path;
    remove_last_segment(url_.path, is_file());
  }
  return path_state();
}

bool UrlParser::file_slash_state() {
  ++position_;
  if (at_slash()) {
    ++position_;
    return file_host_state();
  }
  if (base_is_file()) {
    url_.host = base_->host;
    if (!starts_with_windows_drive_letter(rest())) url_.path = leading_drive(base_->path);
  }
  return path_state();
}

bool UrlParser::file_host_state() {
  const std::size_t begin = position_;
  const std::string_view text = take_until_path_end();
  if (is_windows_drive_letter(text)) {
    // "file://c:/x" has no host: the letter is the path's first segment.
    position_ = begin;
    return path_state();
  }
  if (!text.empty()) {
    url_.host = parse_host(text, HostKind::kDomain);
    if (!url_.host) return false;
    if (*url_.host == "localhost") url_.host = "";
  }
  return path_start_state();
}

bool UrlParser::path_start_state() {
  if (!is_special() && !rest_is_path()) return tail_state();
  if (at_slash()) ++position_;
  return path_state();
}

bool UrlParser::path_state() {
  for (;;) {
    std::string segment = percent_encoded(take_until_path_end(), kPathEncodeSet);
    const bool is_last = !at_slash();
    append_segment(url_.path, std::move(segment), is_file(), is_last);
    if (is_last) return tail_state();
    ++position_;
  }
}

bool UrlParser::opaque_path_state() {
  url_.has_opaque_path = true;
  const std::string_view text = take_until("?#");
  url_.path = percent_encoded(text, kControlEncodeSet);
  // A space at the very end would be trimmed if the URL were written without what follows and parsed again.
  if (url_.path.ends_with(' ')) url_.path.replace(url_.path.size() - 1, 1, "%20");
  return tail_state();
}

// The query and fragment states: what begins with ? or # at this point, or nothing.
bool UrlParser::tail_state() {
  if (rest().starts_with('?')) {
    ++position_;
    url_.query = percent_encoded(take_until("#"), is_special() ? kSpecialQueryEncodeSet : kQueryEncodeSet);
  }
  if (rest().starts_with('#')) url_.fragment = percent_encoded(rest().substr(1), kFragmentEncodeSet);
  return true;
}

bool UrlParser::is_special() const {
  return is_special_scheme(url_.scheme);
}

bool UrlParser::rest_is_path() const {
  return !rest().empty() && !rest().starts_with('?') && !rest().starts_with('#');
}

bool UrlParser::at_slash() const {
  return rest().starts_with('/') || (rest().starts_with('\\') && is_special());
}

std::string_view UrlParser::take_until(std::string_view stops) {
  const std::string_view taken = rest().substr(0, rest().find_first_of(stops));
  position_ += taken.size();
  return taken;
}

std::string_view UrlParser::take_until_path_end() {
  return take_until(is_special() ? "/\\?#" : "/?#");
}

void UrlParser::copy_authority_of_base() {
  url_.username = base_->username;
  url_.password = base_->password;
  url_.host = base_->host;
  url_.port = base_->port;
}

}  // namespace fantail
