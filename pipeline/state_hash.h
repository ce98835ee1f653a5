// A canonical hash of a decider's state: equal states have equal hashes. A search over states and a replay of
// a seed compare by it. FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): simple, and speed does
// not matter here.
//
// A search that is to come to an end cannot tell states apart that differ by the time of day only. A hash
// that was given the present takes an instant as its age in whole units, up to the age beyond which nothing
// changes any more, and leaves out what only reports show and what only counts on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "pipeline/instant.h"
#include "pipeline/range_set.h"

namespace fantail {

class StateHash {
 public:
  StateHash() = default;
  StateHash(Instant now, Duration unit) : abstract_(true), now_(now), unit_(unit) {}

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
  StateHash& add(const RangeSet& set) {
    for (const JobSpan& span : set.spans())
      add(span.first).add(span.end);
    return add(set.size());
  }
  // Whether it is older than `matters` decides something.
  StateHash& add(Instant instant, Duration matters) {
    if (!abstract_) return add(static_cast<std::uint64_t>(instant.time_since_epoch().count()));
    const Duration::rep most = (matters + unit_ - Duration{1}) / unit_;
    return add(static_cast<std::uint64_t>(std::clamp<Duration::rep>((now_ - instant) / unit_, 0, most)));
  }
  // How far one count is ahead of another.
  StateHash& add_distance(std::uint64_t ahead, std::uint64_t behind) {
    const std::uint64_t distance = ahead - behind;
    return add(abstract_ ? std::min(distance, kDistanceMost) : distance);
  }
  // Only reports show it, or it only names messages in the order in which they were sent.
  StateHash& add_figure(std::uint64_t value) { return abstract_ ? *this : add(value); }
  StateHash& add_figure(std::string_view bytes) { return abstract_ ? *this : add(bytes); }
  StateHash& add_figure(Instant instant) { return abstract_ ? *this : add(instant, Duration{0}); }

  std::uint64_t value() const { return value_; }

 private:
  static constexpr std::uint64_t kDistanceMost = 8;
  void add_byte(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001B3ULL; }

  std::uint64_t value_ = 0xCBF29CE484222325ULL;
  bool abstract_ = false;
  Instant now_{};
  Duration unit_{1};
};

}  // namespace fantail
