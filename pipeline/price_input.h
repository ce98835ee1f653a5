// The input of a price job: "product@vendor". Products may hold an @, vendors never do.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fantail {

struct PriceInput {
  std::string product;
  std::string vendor;

  bool operator==(const PriceInput&) const = default;
};

// Splits at the last @; empty if there is none.
std::optional<PriceInput> split_price_input(std::string_view input);
std::string join_price_input(std::string_view product, std::string_view vendor);

}  // namespace fantail
