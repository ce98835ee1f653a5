// The sum of decimal numbers, exact and the same in whatever order they come: ten times 0.1 is 1, and nothing
// wraps. It has room for every number that a double can hold, written with up to 360 digits on either side of
// the point, and for 2^63 of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fantail {

class ExactSum {
 public:
  // A JSON number. False, and nothing changes: it is none, or has digits farther from the point than there is
  // room.
  bool add(std::string_view number);
  // In plain digits, as few as there have to be: "385", "-0.25". Equal sums have equal texts, and a sum that
  // a text was added to goes on as the one that it was of.
  std::string text() const;

 private:
  static constexpr std::size_t kLimbsBehindPoint = 40;
  static constexpr std::size_t kLimbsBeforePoint = 43;  // three of them for what adds up

  using Limbs = std::array<std::int64_t, kLimbsBehindPoint + kLimbsBeforePoint>;
  static void carry(Limbs& limbs);

  // Of nine digits each, the lowest first. Carries wait: a limb has room for those of 2^33 numbers.
  Limbs limbs_{};
  std::uint32_t added_ = 0;  // since the last carry
};

}  // namespace fantail
