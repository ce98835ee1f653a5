// A canonical hash of a decider's state: equal states have equal hashes. A search over states and a replay of
// a seed compare by it. FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): simple, and speed does
// not matter here.
#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/instant.h"
#include "pipeline/range_set.h"

namespace fantail {

class StateHash {
 public:
  StateHash& add(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8)
      add_byte(static_cast<std::uint8_t>(value >> shift));
    return *this;
  }
  StateHash& add(std::string_view bytes) {
    add(bytes.size());
    for (const char byte : bytes)
      add_byte(static_cast<std::uint8_t>(byte));
    return *this;
  }
  StateHash& add(Instant instant) {
    return add(static_cast<std::uint64_t>(instant.time_since_epoch().count()));
  }
  StateHash& add(const RangeSet& set) {
    for (const JobSpan& span : set.spans())
      add(span.first).add(span.end);
    return add(set.size());
  }
  std::uint64_t value() const { return value_; }

 private:
  void add_byte(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001B3ULL; }
  std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

}  // namespace fantail
