// The few items with the largest values, largest first. Equal values are ordered by job id, so the order of
// arrival does not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger.pb.h"

namespace fantail {

class TopItems {
 public:
  static constexpr std::size_t kCapacity = 5;

  struct Item {
    std::uint64_t value = 0;
    std::uint64_t job = 0;
    std::string name;
    bool operator==(const Item&) const = default;
  };

  // Copies the name only if the item is among the largest.
  void add(std::uint64_t value, std::uint64_t job, std::string_view name);
  const std::vector<Item>& items() const { return items_; }
  proto::TopItemsState state() const;
  bool restore(const proto::TopItemsState& state);  // false: more items than there can be

 private:
  std::vector<Item> items_;
};

}  // namespace fantail
