#include "pipeline/price_input.h"

namespace fantail {

std::optional<PriceInput> split_price_input(std::string_view input) {
  const std::size_t at = input.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  return PriceInput{std::string(input.substr(0, at)), std::string(input.substr(at + 1))};
}

std::string join_price_input(std::string_view product, std::string_view vendor) {
  return std::string(product).append("@").append(vendor);
}

}  // namespace fantail
