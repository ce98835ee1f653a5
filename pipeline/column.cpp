#include "pipeline/column.h"

#include <algorithm>
#include <numeric>

namespace fantail {

void append_to(proto::Column& column, std::string_view bytes) {
  column.mutable_data()->append(bytes);
  column.add_sizes(static_cast<std::uint32_t>(bytes.size()));
}

void seal_column(proto::Column& column) {
  const auto& sizes = column.sizes();
  if (!sizes.empty() && std::equal(sizes.begin() + 1, sizes.end(), sizes.begin())) column.clear_sizes();
}

std::optional<ColumnReader> ColumnReader::open(const proto::Column& column, std::uint32_t count) {
  const std::string_view data = column.data();
  if (column.sizes().empty()) {
    if (count == 0 ? !data.empty() : data.size() % count != 0) return std::nullopt;
    return ColumnReader(data, nullptr, count == 0 ? 0 : static_cast<std::uint32_t>(data.size() / count));
  }
  const auto& sizes = column.sizes();
  if (static_cast<std::uint32_t>(sizes.size()) != count ||
      std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0}) != data.size()) {
    return std::nullopt;
  }
  return ColumnReader(data, sizes.data(), 0);
}

void ColumnReader::skip(std::uint32_t count) {
  if (sizes_ == nullptr) {
    offset_ += std::size_t{each_} * count;
  } else {
    offset_ = std::accumulate(sizes_ + index_, sizes_ + index_ + count, offset_);
  }
  index_ += count;
}

void ColumnReader::take(std::uint32_t count, proto::Column& to) {
  const std::uint32_t from = index_;
  const std::size_t begin = offset_;
  skip(count);
  to.mutable_data()->append(data_.substr(begin, offset_ - begin));
  if (sizes_ == nullptr) {
    to.mutable_sizes()->Resize(to.sizes_size() + static_cast<int>(count), each_);
  } else {
    to.mutable_sizes()->Add(sizes_ + from, sizes_ + index_);
  }
}

}  // namespace fantail
