// A canonical hash of a decider's state: equal states have equal hashes. A search over states and a replay of
// a seed compare by it. FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): simple, and speed does
// not matter here.
//
// A search that is to come to an end cannot tell states apart that differ by the time of day only, or by what
// a process is called that was started once more. A hash that was given a unit of time takes an instant as
// its age in whole units, up to the age beyond which nothing changes any more, an epoch as how far it is
// behind the newest, a name as the place where it comes first, and leaves out what only reports show.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/instant.h"
#include "pipeline/range_set.h"

namespace fantail {

class StateHash {
 public:
  enum class Epoch : std::uint8_t { kVentilator, kSink };

  StateHash() = default;
  StateHash(Instant now, Duration unit) : abstract_(true), now_(now), unit_(unit) {}

  // What is added from here on has another clock.
  void set_now(Instant now) { now_ = now; }
  void set_newest(Epoch whose, std::uint64_t epoch) { newest_[static_cast<std::size_t>(whose)] = epoch; }

  StateHash& add(std::uint64_t value) {
    if (abstract_) {
      value_ = (value_ ^ value ^ (value_ >> 29)) * 0x9E3779B97F4A7C15ULL;
      return *this;
    }
    for (int shift = 0; shift < 64; shift += 8)
      add_byte(static_cast<std::uint8_t>(value >> shift));
    return *this;
  }
  StateHash& add(std::string_view bytes) {
    add(bytes.size());
    if (abstract_) return add(std::hash<std::string_view>{}(bytes));
    for (const char byte : bytes)
      add_byte(static_cast<std::uint8_t>(byte));
    return *this;
  }
  StateHash& add(const RangeSet& set) {
    for (const JobSpan& span : set.spans())
      add(span.first).add(span.end);
    return add(set.size());
  }
  // It is only compared with others of its sort.
  StateHash& add_name(std::string_view name) { return abstract_ ? add_place(names_, name) : add(name); }
  StateHash& add_name(std::uint64_t name) { return abstract_ ? add_place(numbers_, name) : add(name); }
  // 0: none.
  StateHash& add_epoch(Epoch whose, std::uint64_t epoch) {
    if (!abstract_ || epoch == 0) return add(epoch);
    return add(1 + newest_[static_cast<std::size_t>(whose)] - epoch);
  }
  // Whether it is older than `matters` decides something.
  StateHash& add(Instant instant, Duration matters) {
    if (!abstract_) return add(static_cast<std::uint64_t>(instant.time_since_epoch().count()));
    if (unit_ == Duration{0}) return add(now_ - instant >= matters ? 1 : 0);
    const Duration::rep most = (matters + unit_ - Duration{1}) / unit_ + 1;
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

  template <typename Names, typename Name>
  StateHash& add_place(Names& names, const Name& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    const auto place = static_cast<std::uint64_t>(found - names.begin());
    if (found == names.end()) names.emplace_back(name);
    return add(place);
  }
  void add_byte(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001B3ULL; }

  std::uint64_t value_ = 0xCBF29CE484222325ULL;
  bool abstract_ = false;
  Instant now_{};
  Duration unit_{1};
  std::uint64_t newest_[2] = {};
  std::vector<std::string> names_;
  std::vector<std::uint64_t> numbers_;
};

}  // namespace fantail
