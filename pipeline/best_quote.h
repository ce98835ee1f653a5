// The cheapest quotes that are in stock, per product and currency. Exact and mergeable: any order of quotes
// and any tree of merges give the same answer. Knows no exchange rates; currencies are never compared.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kinds.pb.h"

namespace fantail {

struct BestQuote {
  std::string product;
  std::string currency;
  std::int64_t minor_units = 0;
  std::uint32_t minor_digits = 0;
  std::vector<std::string> vendors;  // all that ask this price, in the order of their names

  bool operator==(const BestQuote&) const = default;
};

class BestQuotes {
 public:
  // Quotes that are not known to be in stock, have no price or an impossible one are passed over.
  void add(std::string_view vendor, std::string_view product, const proto::PricesResult& result);
  void merge(const BestQuotes& other);

  std::vector<BestQuote> best() const;  // in the order of products, then currencies
  // Takes in what best() gave; false where no quote can have given it.
  bool restore(const BestQuote& quote);

 private:
  struct Offer {
    std::int64_t minor_units = 0;
    std::uint32_t minor_digits = 0;
    std::set<std::string> vendors;
  };
  using Key = std::pair<std::string, std::string>;  // product, currency

  void offer(const Key& key, const Offer& offer);

  std::map<Key, Offer> offers_;
};

}  // namespace fantail
