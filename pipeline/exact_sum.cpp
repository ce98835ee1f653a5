#include "pipeline/exact_sum.h"

#include <algorithm>
#include <optional>

#include "pipeline/decimal_number.h"

namespace fantail {

namespace {

constexpr std::int64_t kLimbDigits = 9;
constexpr std::int64_t kBase = 1'000'000'000;
constexpr std::int64_t kDigitsMax = 360;  // on either side of the point
constexpr std::uint32_t kCarryAfter = 1U << 31;

std::string nine_digits(std::int64_t limb) {
  const std::string digits = std::to_string(limb);
  return std::string(static_cast<std::size_t>(kLimbDigits) - digits.size(), '0') + digits;
}

}  // namespace

bool ExactSum::add(std::string_view number) {
  const std::optional<DecimalNumber> decimal = read_decimal_number(number);
  if (!decimal) return false;
  const auto size = static_cast<std::int64_t>(decimal->digits.size());
  if (size > 0 && (decimal->exponent < -kDigitsMax || decimal->exponent + size > kDigitsMax)) return false;
  // The place of a digit, counted from the lowest one there is room for.
  std::int64_t place = decimal->exponent + size + kDigitsMax;
  for (const char digit : decimal->digits) {
    --place;
    std::int64_t value = decimal->negative ? '0' - digit : digit - '0';
    for (std::int64_t power = place % kLimbDigits; power > 0; --power)
      value *= 10;
    limbs_[static_cast<std::size_t>(place / kLimbDigits)] += value;
  }
  if (++added_ == kCarryAfter) {
    carry(limbs_);
    added_ = 0;
  }
  return true;
}

// Afterwards all limbs but the highest are from 0 to kBase - 1.
void ExactSum::carry(Limbs& limbs) {
  for (std::size_t index = 0; index + 1 < limbs.size(); ++index) {
    std::int64_t over = limbs[index] / kBase;
    if (limbs[index] % kBase < 0) --over;
    limbs[index] -= over * kBase;
    limbs[index + 1] += over;
  }
}

std::string ExactSum::text() const {
  Limbs limbs = limbs_;
  carry(limbs);
  const bool negative = limbs.back() < 0;
  if (negative) {
    for (std::int64_t& limb : limbs)
      limb = -limb;
    carry(limbs);
  }
  std::string whole;
  std::string fraction;
  for (std::size_t index = limbs.size(); index-- > 0;)
    (index >= kLimbsBehindPoint ? whole : fraction) += nine_digits(limbs[index]);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  fraction.erase(fraction.find_last_not_of('0') + 1);  // npos + 1 is 0
  return (negative ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
}

}  // namespace fantail
