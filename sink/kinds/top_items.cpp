#include "sink/kinds/top_items.h"

#include <algorithm>

namespace fantail {

void TopItems::add(std::uint64_t value, std::uint64_t job, std::string_view name) {
  const auto place = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
    return value != item.value ? value > item.value : job < item.job;
  });
  if (place == items_.end() && items_.size() == kCapacity) return;
  items_.insert(place, Item{value, job, std::string(name)});
  if (items_.size() > kCapacity) items_.pop_back();
}

}  // namespace fantail
