#include "ventilator/sources/vendor_entry.h"

#include <algorithm>
#include <array>
#include <set>

#include "pipeline/closest_word.h"
#include "pipeline/currencies.h"
#include "pipeline/duration.h"
#include "pipeline/url/ascii.h"
#include "pipeline/url/url.h"
#include "pipeline/url/utf8.h"

namespace fantail {

namespace {

constexpr std::array<std::string_view, 10> kVendorKeys = {
    "name",     "url",    "timeout", "price", "currency",
    "in_stock", "method", "headers", "body",  "default_currency"};
constexpr std::string_view kProduct = "{product}";
constexpr std::uint64_t kDefaultTimeoutUs = 10'000'000;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7F';
}

// Text from the file for a sentence.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMaxShown = 80;
  const std::string shown = to_valid_utf8(text.substr(0, kMaxShown));
  return "\"" + shown + (text.size() > kMaxShown ? "...\"" : "\"");
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

std::string_view without_margins(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// A token of RFC 9110 section 5.6.2: names of headers and methods.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_ascii_alpha(c) || is_ascii_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_http_url(std::string url) {
  for (std::size_t at = url.find(kProduct); at != std::string::npos; at = url.find(kProduct, at))
    url.replace(at, kProduct.size(), "x");
  const std::optional<Url> parsed = parse_url(url);
  return parsed && parsed->is_http();
}

// RFC 6901: starts with a slash; a tilde is followed by 0 or 1.
bool is_json_pointer(std::string_view text) {
  if (!text.starts_with('/')) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  return true;
}

}  // namespace

int line_of(const YAML::Node& node) {
  return node.Mark().line + 1;
}

std::string vendors_error(const std::string& path, const VendorProblem& problem) {
  const std::string line = problem.line > 0 ? ":" + std::to_string(problem.line) : "";
  std::string text = problem.text;
  // Control bytes would disturb a terminal; the YAML library quotes them as well.
  std::ranges::replace_if(text, is_control, '?');
  return path + line + ": " + text;
}

std::optional<VendorProblem> check_keys(const YAML::Node& map, std::span<const std::string_view> known) {
  std::set<std::string> seen;
  for (const auto& pair : map) {
    const YAML::Node& key = pair.first;
    if (!key.IsScalar()) return VendorProblem{line_of(key), "a key is not a word; write it as key: value"};
    const std::string& word = key.Scalar();
    if (std::ranges::find(known, word) == known.end()) {
      const std::string_view meant = closest_word(word, known);
      std::string way_out = "did you mean " + in_quotes(meant) + "?";
      if (meant.empty()) {
        way_out = "known keys:";
        for (const std::string_view name : known)
          way_out.append(name == known.front() ? " " : ", ").append(name);
      }
      return VendorProblem{line_of(key), "unknown key " + in_quotes(word) + "; " + way_out};
    }
    if (!seen.insert(word).second)
      return VendorProblem{line_of(key), "the key " + in_quotes(word) + " is there twice; remove one"};
  }
  return std::nullopt;
}

VendorEntry::VendorEntry(const YAML::Node& entry, std::size_t position, const Environment& environment)
    : entry_(entry), environment_(environment), label_("vendor " + std::to_string(position)) {}

bool VendorEntry::read(proto::Vendor& vendor) {
  if (!entry_.IsMap()) return fail(entry_, "is not a map; write keys such as name, url and price");
  if (const YAML::Node name = entry_["name"]; name && name.IsScalar() && !name.Scalar().empty())
    label_ = "vendor " + in_quotes(name.Scalar());
  if (const auto problem = check_keys(entry_, kVendorKeys)) {
    problem_ = {problem->line, label_ + ": " + problem->text};
    return false;
  }
  return read_name(vendor) && read_timeout(vendor) && read_pointers(vendor) && read_currency(vendor) &&
         read_body(vendor) && read_method(vendor) && read_url(vendor) && read_headers(vendor);
}

bool VendorEntry::fail(const YAML::Node& at, const std::string& cause) {
  problem_ = {line_of(at ? at : entry_), label_ + ": " + cause};
  return false;
}

bool VendorEntry::read_text(const char* key, std::string* text) {
  const YAML::Node node = entry_[key];
  if (!node) return true;
  if (!node.IsScalar() || node.Scalar().empty()) {
    // The place of an empty value is somewhere behind its key.
    YAML::Node at = node;
    for (const auto& pair : entry_)
      if (pair.first.Scalar() == key) at.reset(pair.first);
    return fail(at,
                "the key " + in_quotes(key) + " has no text; write a value behind it or leave the key out");
  }
  *text = node.Scalar();
  return true;
}

bool VendorEntry::read_name(proto::Vendor& vendor) {
  if (!read_text("name", vendor.mutable_name())) return false;
  const std::string& name = vendor.name();
  if (name.empty()) return fail(entry_, "has no name; add one such as name: BestBuy");
  if (contains(name, "@") || std::ranges::any_of(name, is_control))
    return fail(entry_["name"], "the name holds an @ or a control character; leave it out");
  return true;
}

bool VendorEntry::read_timeout(proto::Vendor& vendor) {
  std::string text;
  if (!read_text("timeout", &text)) return false;
  vendor.set_timeout_us(kDefaultTimeoutUs);
  if (text.empty()) return true;
  const auto timeout = parse_duration(text);
  if (!timeout || timeout->count() <= 0)
    return fail(entry_["timeout"],
                "the timeout " + in_quotes(text) + " is no duration; write one such as 10s or 500ms");
  vendor.set_timeout_us(static_cast<std::uint64_t>(timeout->count()));
  return true;
}

bool VendorEntry::read_pointers(proto::Vendor& vendor) {
  if (!read_pointer("price", vendor.mutable_price_pointer())) return false;
  if (vendor.price_pointer().empty())
    return fail(entry_, "has no price; add where it is in the JSON answer, such as price: /price");
  return read_pointer("currency", vendor.mutable_currency_pointer()) &&
         read_pointer("in_stock", vendor.mutable_in_stock_pointer());
}

bool VendorEntry::read_pointer(const char* key, std::string* pointer) {
  if (!read_text(key, pointer)) return false;
  if (pointer->empty() || is_json_pointer(*pointer)) return true;
  return fail(entry_[key], std::string(key) + " " + in_quotes(*pointer) +
                               " is no JSON pointer; write one such as /offer/" + key);
}

bool VendorEntry::read_currency(proto::Vendor& vendor) {
  std::string text;
  if (!read_text("default_currency", &text)) return false;
  const std::string code = upper_case(text);
  if (!code.empty() && !currency_minor_digits(code))
    return fail(entry_["default_currency"], "the default_currency " + in_quotes(text) +
                                                " is no ISO 4217 code in use; write one such as USD");
  vendor.set_default_currency(code);
  return true;
}

bool VendorEntry::read_body(proto::Vendor& vendor) {
  std::string text;
  return read_text("body", &text) && expand(entry_["body"], text, *vendor.mutable_body());
}

bool VendorEntry::read_method(proto::Vendor& vendor) {
  std::string text = vendor.body().empty() ? "GET" : "POST";
  if (!read_text("method", &text)) return false;
  if (!is_token(text))
    return fail(entry_["method"], "the method " + in_quotes(text) + " is no HTTP method; write GET or POST");
  vendor.set_method(upper_case(text));
  return true;
}

bool VendorEntry::read_url(proto::Vendor& vendor) {
  if (!read_text("url", vendor.mutable_url())) return false;
  const std::string& url = vendor.url();
  if (url.empty()) return fail(entry_, "has no url; add one such as url: https://example.com/{product}");
  // A secret in a URL would end in logs and rows; sent as it stands, the text would mislead the vendor.
  if (contains(url, "${"))
    return fail(entry_["url"], "the url holds ${; variables go into headers and body, put it there");
  if (!is_http_url(url))
    return fail(entry_["url"],
                "the url " + in_quotes(url) +
                    " is no http or https URL; write one such as https://example.com/{product}");
  if (!contains(url, kProduct) && !contains(vendor.body(), kProduct))
    return fail(entry_["url"], "neither url nor body holds {product}; put it where the product's id belongs");
  return true;
}

bool VendorEntry::read_headers(proto::Vendor& vendor) {
  const YAML::Node headers = entry_["headers"];
  if (!headers) return true;
  if (headers.IsSequence()) {
    for (const YAML::Node& item : headers)
      if (!read_header_item(item, vendor)) return false;
    return true;
  }
  if (!headers.IsMap())
    return fail(headers, "headers is neither a map nor a list; write \"Name: value\" lines below it");
  for (const auto& pair : headers)
    if (!read_header_pair(pair.first, pair.second, vendor)) return false;
  return true;
}

// "Name: value" without quotes is a map with one pair to YAML.
bool VendorEntry::read_header_item(const YAML::Node& item, proto::Vendor& vendor) {
  if (item.IsMap()) {
    for (const auto& pair : item)
      if (!read_header_pair(pair.first, pair.second, vendor)) return false;
    return true;
  }
  const std::string text = item.IsScalar() ? item.Scalar() : "";
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return fail(item, "a header has no colon; write it as \"Name: value\"");
  return add_header(item, text.substr(0, colon), text.substr(colon + 1), vendor);
}

bool VendorEntry::read_header_pair(const YAML::Node& name, const YAML::Node& value, proto::Vendor& vendor) {
  if (!name.IsScalar() || !value.IsScalar())
    return fail(name, "a header is not text; write it as Name: value");
  return add_header(value, name.Scalar(), value.Scalar(), vendor);
}

bool VendorEntry::add_header(const YAML::Node& at, const std::string& name, const std::string& value,
                             proto::Vendor& vendor) {
  if (!is_token(name))
    return fail(at, "the header name " + in_quotes(name) + " is not valid; write it as \"Name: value\"");
  std::string expanded;
  if (!expand(at, without_margins(value), expanded)) return false;
  // A line break would begin another header.
  if (std::ranges::any_of(expanded, [](char c) { return is_control(c) && c != '\t'; }))
    return fail(at, "the value of the header " + in_quotes(name) + " holds a control character; remove it");
  vendor.add_headers(name + ": " + expanded);
  return true;
}

// One pass: what a variable holds is not looked through again.
bool VendorEntry::expand(const YAML::Node& at, std::string_view text, std::string& expanded) {
  for (std::size_t begin = text.find("${"); begin != std::string_view::npos; begin = text.find("${")) {
    const std::size_t end = text.find('}', begin);
    if (end == std::string_view::npos || end == begin + 2)
      return fail(at, "\"${\" does not name a variable; write it as ${NAME}");
    const std::string name(text.substr(begin + 2, end - begin - 2));
    const std::optional<std::string> value = environment_(name);
    if (!value)
      return fail(at,
                  "the environment variable " + in_quotes(name) + " is not set; export it before the run");
    if (to_valid_utf8(*value) != *value)
      return fail(at, "the environment variable " + in_quotes(name) +
                          " is not UTF-8; set it to text in that encoding");
    expanded.append(text.substr(0, begin)).append(*value);
    text.remove_prefix(end + 1);
  }
  expanded.append(text);
  return true;
}

}  // namespace fantail
