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

proto::TopItemsState TopItems::state() const {
  proto::TopItemsState state;
  for (const Item& item : items_) {
    proto::TopItemsState::Item& entry = *state.add_items();
    entry.set_value(item.value);
    entry.set_job(item.job);
    entry.set_name(item.name);
  }
  return state;
}

bool TopItems::restore(const proto::TopItemsState& state) {
  if (static_cast<std::size_t>(state.items_size()) > kCapacity) return false;
  items_.clear();
  for (const proto::TopItemsState::Item& entry : state.items())
    add(entry.value(), entry.job(), entry.name());
  return true;
}

}  // namespace fantail
