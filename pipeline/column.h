// Building and reading proto::Column: many byte strings in one buffer, so that a batch is moved by one copy
// and costs no allocation per string.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "messages.pb.h"

namespace fantail {

// Sizes are kept per string while a column is built; seal_column() drops them where all are alike.
void append_to(proto::Column& column, std::string_view bytes);
void seal_column(proto::Column& column);

// Reads a column's strings in order. The views are into the column.
class ColumnReader {
 public:
  // Empty: the column does not hold so many strings.
  static std::optional<ColumnReader> open(const proto::Column& column, std::uint32_t count);

  // Requires: there are so many left.
  std::string_view next() {
    const std::uint32_t size = size_of(index_++);
    const std::string_view bytes = data_.substr(offset_, size);
    offset_ += size;
    return bytes;
  }
  void skip(std::uint32_t count);
  // Appends the next strings to another column.
  void take(std::uint32_t count, proto::Column& to);
  std::uint32_t index() const { return index_; }

 private:
  ColumnReader(std::string_view data, const std::uint32_t* sizes, std::uint32_t each)
      : data_(data), sizes_(sizes), each_(each) {}
  std::uint32_t size_of(std::uint32_t index) const { return sizes_ == nullptr ? each_ : sizes_[index]; }

  std::string_view data_;
  const std::uint32_t* sizes_;  // null: all have each_
  std::uint32_t each_;
  std::uint32_t index_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace fantail
