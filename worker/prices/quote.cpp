#include "worker/prices/quote.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <variant>

#include "pipeline/json_fields.h"
#include "pipeline/money.h"
#include "pipeline/url/ascii.h"

namespace fantail {

namespace {

using Type = JsonField::Type;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

bool is_absent(const JsonField& field) {
  return field.type == Type::kMissing || field.type == Type::kNull ||
         (field.type == Type::kString && trimmed(field.text).empty());
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

std::optional<bool> stock_from_text(std::string_view text) {
  constexpr std::array<std::string_view, 5> kIn = {"true", "yes", "in stock", "instock", "in_stock"};
  constexpr std::array<std::string_view, 5> kOut = {"false", "no", "out of stock", "outofstock",
                                                    "out_of_stock"};
  const std::string word = to_ascii_lower(trimmed(text));
  if (std::ranges::find(kIn, word) != kIn.end()) return true;
  if (std::ranges::find(kOut, word) != kOut.end()) return false;
  return std::nullopt;
}

// 0 is out, above is in; a negative count says nothing. The exponent cannot make a zero of another number.
std::optional<bool> stock_from_number(std::string_view number) {
  const std::string_view mantissa = number.substr(0, number.find_first_of("eE"));
  if (mantissa.find_first_of("123456789") == std::string_view::npos) return false;
  if (mantissa.starts_with('-')) return std::nullopt;
  return true;
}

// Empty: the vendor does not say.
std::optional<bool> read_stock(const proto::Vendor& vendor, const JsonField& field) {
  if (vendor.in_stock_pointer().empty()) return true;
  switch (field.type) {
    case Type::kBoolean:
    case Type::kString:
      return stock_from_text(field.text);
    case Type::kNumber:
      return stock_from_number(field.text);
    default:
      return std::nullopt;
  }
}

std::variant<Money, MoneyError> read_price(const proto::Vendor& vendor, const JsonField& price,
                                           const JsonField& currency) {
  if (price.type == Type::kMissing || price.type == Type::kNull)
    return MoneyError{"missing_price", "the body has no price at " + vendor.price_pointer()};
  if (is_absent(currency) && vendor.default_currency().empty()) {
    return MoneyError{"missing_currency", "the body has no currency and the vendor has no default_currency"};
  }
  if (!is_absent(currency) && currency.type != Type::kString)
    return MoneyError{"unknown_currency", "the currency is no string"};
  const std::string code = is_absent(currency) ? vendor.default_currency() : currency.text;
  // What is neither number nor string has no amount, but its currency is looked at first.
  const bool has_amount = price.type == Type::kNumber || price.type == Type::kString;
  return parse_money(has_amount ? price.text : "neither number nor string", upper_case(trimmed(code)));
}

}  // namespace

JobResult read_quote(const proto::Vendor& vendor, std::string_view json_body, std::uint64_t load_us,
                     std::uint32_t status_code) {
  proto::PricesResult result;
  result.set_load_us(load_us);
  result.set_status_code(status_code);

  const std::array<std::string_view, 3> pointers = {vendor.price_pointer(), vendor.currency_pointer(),
                                                    vendor.in_stock_pointer()};
  const auto read = read_json_fields(json_body, pointers);
  if (const auto* error = std::get_if<JsonError>(&read)) {
    const bool is_price = error->out_of_range_field == 0U;
    return JobResult::failed(is_price ? "bad_price" : "bad_json", error->message, result.SerializeAsString());
  }
  const auto& fields = std::get<std::vector<JsonField>>(read);

  const auto price = read_price(vendor, fields[0], fields[1]);
  if (const auto* error = std::get_if<MoneyError>(&price))
    return JobResult::failed(error->code, error->message, result.SerializeAsString());
  const auto& money = std::get<Money>(price);
  result.set_has_price(true);
  result.set_minor_units(money.minor_units);
  result.set_minor_digits(money.minor_digits);
  result.set_currency(money.currency);
  if (const auto in_stock = read_stock(vendor, fields[2])) result.set_in_stock(*in_stock);
  return JobResult::ok(result.SerializeAsString());
}

}  // namespace fantail
