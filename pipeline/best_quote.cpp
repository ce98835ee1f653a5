#include "pipeline/best_quote.h"

#include <compare>

namespace fantail {

namespace {

constexpr std::uint32_t kMaxMinorDigits = 18;  // 10^18 fits into 64 bits

// Compares amounts whose minor units may differ: whole units first, then the rest in units of 10^-18.
using Amount = std::pair<std::uint64_t, std::uint64_t>;

Amount amount(std::int64_t minor_units, std::uint32_t minor_digits) {
  std::uint64_t unit = 1, rest = 1;
  for (std::uint32_t i = 0; i < kMaxMinorDigits; ++i)
    (i < minor_digits ? unit : rest) *= 10;
  const auto units = static_cast<std::uint64_t>(minor_units);
  return {units / unit, units % unit * rest};
}

}  // namespace

void BestQuotes::add(std::string_view vendor, std::string_view product, const proto::PricesResult& result) {
  if (!result.has_price() || !result.has_in_stock() || !result.in_stock()) return;
  if (result.minor_units() < 0 || result.minor_digits() > kMaxMinorDigits) return;
  offer({std::string(product), result.currency()},
        {result.minor_units(), result.minor_digits(), {std::string(vendor)}});
}

bool BestQuotes::restore(const BestQuote& quote) {
  if (quote.minor_units < 0 || quote.minor_digits > kMaxMinorDigits || quote.vendors.empty()) return false;
  offer({quote.product, quote.currency},
        {quote.minor_units, quote.minor_digits, {quote.vendors.begin(), quote.vendors.end()}});
  return true;
}

void BestQuotes::merge(const BestQuotes& other) {
  for (const auto& [key, other_offer] : other.offers_)
    offer(key, other_offer);
}

void BestQuotes::offer(const Key& key, const Offer& offer) {
  const auto [place, is_new] = offers_.try_emplace(key, offer);
  if (is_new) return;
  Offer& best = place->second;
  const auto order =
      amount(offer.minor_units, offer.minor_digits) <=> amount(best.minor_units, best.minor_digits);
  if (order < 0) best = offer;
  if (order != 0) return;
  best.vendors.insert(offer.vendors.begin(), offer.vendors.end());
  // Of 2.5 and 2.50 the longer one is kept, whichever came first.
  if (offer.minor_digits > best.minor_digits) {
    best.minor_units = offer.minor_units;
    best.minor_digits = offer.minor_digits;
  }
}

std::vector<BestQuote> BestQuotes::best() const {
  std::vector<BestQuote> best;
  for (const auto& [key, offer] : offers_) {
    best.push_back({key.first,
                    key.second,
                    offer.minor_units,
                    offer.minor_digits,
                    {offer.vendors.begin(), offer.vendors.end()}});
  }
  return best;
}

}  // namespace fantail
