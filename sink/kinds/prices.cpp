#include "sink/kinds/prices.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "kinds.pb.h"
#include "pipeline/best_quote.h"
#include "pipeline/money.h"
#include "pipeline/number.h"
#include "pipeline/price_input.h"
#include "sink/json_text.h"
#include "sink/kinds/kind_state.h"
#include "sink/kinds/payload.h"

namespace fantail {

namespace {

using nlohmann::ordered_json;

// The largest number of digits that a minor unit has, with room to spare. A worker that sends more is not
// believed: the amount would be printed with as many zeros.
constexpr std::uint32_t kMaxMinorDigits = 18;

bool has_amount(const proto::PricesResult& result) {
  return result.has_price() && result.minor_units() >= 0 && result.minor_digits() <= kMaxMinorDigits;
}

std::vector<Field> make_fields(const Outcome& outcome, const proto::PricesResult* result) {
  FieldValue vendor, product, price, currency, in_stock, load_ms;
  if (const auto input = split_price_input(outcome.input); input && shows_fields(outcome)) {
    vendor = input->vendor;
    product = input->product;
  }
  if (result != nullptr) {
    if (has_amount(*result)) price = format_amount(result->minor_units(), result->minor_digits());
    if (!result->currency().empty()) currency = result->currency();
    if (result->has_in_stock()) in_stock = result->in_stock();
    load_ms = as_milliseconds(result->load_us());
  }
  return {{"vendor", std::move(vendor)},     {"product", std::move(product)},
          {"price", std::move(price)},       {"currency", std::move(currency)},
          {"in_stock", std::move(in_stock)}, {"load_ms", std::move(load_ms)}};
}

ordered_json best_json(const BestQuote& best) {
  ordered_json vendors = ordered_json::array();
  for (const std::string& vendor : best.vendors)
    vendors.push_back(json_text(vendor));
  return {{"product", json_text(best.product)},
          {"currency", json_text(best.currency)},
          {"price", format_amount(best.minor_units, best.minor_digits)},
          {"vendors", std::move(vendors)}};
}

// "BestBuy", "BestBuy and Target", "Amazon, BestBuy and Target".
std::string enumeration(std::span<const std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

class PricesKind final : public Kind {
 public:
  std::unique_ptr<Kind> clone() const override { return std::make_unique<PricesKind>(*this); }
  std::string_view name() const override { return "prices"; }
  XXH128_hash_t add(const Outcome& outcome) override;

  const std::vector<std::string_view>& field_names() const override {
    static const std::vector<std::string_view> names = {"vendor",   "product",  "price",
                                                        "currency", "in_stock", "load_ms"};
    return names;
  }

  std::vector<Field> fields(const Outcome& outcome) const override {
    proto::PricesResult result;
    return make_fields(outcome, read_payload(outcome, result) ? &result : nullptr);
  }

  ordered_json aggregate(const RunSummary&) const override {
    ordered_json best = ordered_json::array();
    for (const BestQuote& quote : best_.best())
      best.push_back(best_json(quote));
    return {{"best", std::move(best)}, {"quotes", quotes_}};
  }

  std::string save() const override;
  bool load(std::string_view bytes) override;
  std::string item_noun(std::uint64_t count) const override { return count == 1 ? "quote" : "quotes"; }
  std::string summary_totals() const override { return ""; }
  std::vector<std::string> summary_lines() const override;

 private:
  void count(const Outcome& outcome);

  std::uint64_t quotes_ = 0;
  std::map<std::string, std::uint64_t, std::less<>>
      quotes_by_product_;  // ok ones; products without any are here too
  BestQuotes best_;

  proto::PricesResult result_;  // kept between outcomes
  OutcomeHasher hasher_;
};

XXH128_hash_t PricesKind::add(const Outcome& outcome) {
  const bool has_result = read_payload(outcome, result_);
  count(outcome);
  const std::vector<Field> fields = make_fields(outcome, has_result ? &result_ : nullptr);
  hasher_.begin(outcome.job, outcome.status);
  // The last field is the load time.
  for (const Field& field : std::span(fields).first(fields.size() - 1))
    hasher_.add_field(field.value);
  return hasher_.hash();
}

void PricesKind::count(const Outcome& outcome) {
  const bool ok = outcome.status == Status::kOk;
  if (ok) ++quotes_;
  const auto input = split_price_input(outcome.input);
  if (!input) return;
  auto quotes = quotes_by_product_.find(input->product);
  if (quotes == quotes_by_product_.end()) quotes = quotes_by_product_.emplace(input->product, 0).first;
  if (!ok) return;
  ++quotes->second;
  best_.add(input->vendor, input->product, result_);
}

std::string PricesKind::save() const {
  proto::KindState state;
  proto::PricesState& prices = *state.mutable_prices();
  prices.set_quotes(quotes_);
  for (const auto& [product, quotes] : quotes_by_product_) {
    proto::ProductQuotes& entry = *prices.add_products();
    entry.set_product(product);
    entry.set_quotes(quotes);
  }
  for (const BestQuote& best : best_.best()) {
    proto::BestQuoteState& entry = *prices.add_best();
    entry.set_product(best.product);
    entry.set_currency(best.currency);
    entry.set_minor_units(best.minor_units);
    entry.set_minor_digits(best.minor_digits);
    for (const std::string& vendor : best.vendors)
      entry.add_vendors(vendor);
  }
  return seal_state(state);
}

bool PricesKind::load(std::string_view bytes) {
  const std::optional<proto::KindState> state = open_state(bytes);
  if (!state || !state->has_prices()) return false;
  BestQuotes best;
  for (const proto::BestQuoteState& entry : state->prices().best()) {
    if (!best.restore({entry.product(),
                       entry.currency(),
                       entry.minor_units(),
                       entry.minor_digits(),
                       {entry.vendors().begin(), entry.vendors().end()}})) {
      return false;
    }
  }
  quotes_ = state->prices().quotes();
  quotes_by_product_.clear();
  for (const proto::ProductQuotes& entry : state->prices().products())
    quotes_by_product_[entry.product()] = entry.quotes();
  best_ = std::move(best);
  return true;
}

std::vector<std::string> PricesKind::summary_lines() const {
  std::map<std::string, std::vector<std::string>> best_by_product;
  for (const BestQuote& best : best_.best()) {
    best_by_product[best.product].push_back(enumeration(best.vendors) + " at " + best.currency + " " +
                                            format_amount(best.minor_units, best.minor_digits));
  }
  std::vector<std::string> lines;
  for (const auto& [product, quotes] : quotes_by_product_) {
    const std::string label = quotes_by_product_.size() == 1 ? "best: " : "best for " + product + ": ";
    const auto found = best_by_product.find(product);
    if (found == best_by_product.end()) {
      lines.push_back(label + "none in stock (" + format_items(quotes, "quote", "quotes") + ")");
      continue;
    }
    for (const std::string& best : found->second)
      lines.push_back(label + best);
  }
  return lines;
}

}  // namespace

std::unique_ptr<Kind> make_prices_kind() {
  return std::make_unique<PricesKind>();
}

}  // namespace fantail
