// Many short strings in one buffer, and a set of such strings: a page has hundreds of links, and a string of
// its own for each would cost more than reading it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fantail {

class StringList {
 public:
  std::size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  std::size_t bytes() const { return bytes_.size(); }
  std::string_view operator[](std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(bytes_).substr(begin, ends_[index] - begin);
  }
  void reserve(std::size_t count, std::size_t bytes) {
    ends_.reserve(count);
    bytes_.reserve(bytes);
  }
  void add(std::string_view text) {
    bytes_ += text;
    ends_.push_back(bytes_.size());
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

// Each string once, in the order of their first appearance. Its hash has a seed that no page can know, and
// thus no hostile page can make many strings meet in one place.
class DistinctStrings {
 public:
  // False, and nothing changes, when the text is there already.
  bool add(std::string_view text);
  const StringList& list() const { return list_; }
  StringList take() && { return std::move(list_); }

 private:
  struct Slot {
    std::uint32_t hash = 0;   // the part that does not choose the slot
    std::uint32_t entry = 0;  // in list_, from 1 on; 0: the slot is free
  };

  void grow();

  void put(std::uint64_t hash, std::size_t entry);

  StringList list_;
  std::vector<Slot> slots_;  // a power of two of them, at least half of them free
};

}  // namespace fantail
