#include "worker/html/tag_builder.h"

#include <algorithm>

#include "worker/html/byte_search.h"
#include "worker/html/utf8.h"

namespace fantail {
namespace {

void append_lower_case(std::string_view bytes, std::string& text) {
  for (const char byte : bytes) {
    if (byte == '\0') {
      text += kReplacementCharacter;
    } else {
      text += to_ascii_lower(byte);
    }
  }
}

}  // namespace

void TagBuilder::begin(bool is_end_tag) {
  is_end_tag_ = is_end_tag;
  keeps_attributes_ = false;
  in_attribute_ = false;
  name_.clear();
  bytes_.clear();
  sizes_.clear();
  attributes_.clear();
}

void TagBuilder::append_name(std::string_view bytes) {
  append_lower_case(bytes.substr(0, kMaxNameSize - std::min(kMaxNameSize, name_.size())), name_);
}

void TagBuilder::begin_attribute() {
  if (!keeps_attributes_) return;
  end_attribute();
  in_attribute_ = true;
  attribute_fits_ = sizes_.size() < kMaxAttributes;
  current_ = {};
}

bool TagBuilder::append_to_attribute(std::size_t size) {
  if (!in_attribute_ || !attribute_fits_) return false;
  attribute_fits_ = size <= kMaxBytes - std::min(kMaxBytes, bytes_.size());
  return attribute_fits_;
}

void TagBuilder::append_attribute_name(std::string_view bytes) {
  if (!append_to_attribute(bytes.size())) return;
  const std::size_t before = bytes_.size();
  append_lower_case(bytes, bytes_);
  current_.name += bytes_.size() - before;
}

void TagBuilder::append_attribute_value(std::string_view bytes) {
  if (!append_to_attribute(bytes.size())) return;
  bytes_ += bytes;
  current_.value += bytes.size();
}

bool TagBuilder::repeats_a_name(std::string_view name) const {
  std::size_t position = 0;
  return std::any_of(sizes_.begin(), sizes_.end(), [&](const AttributeSize& size) {
    const std::string_view other = std::string_view(bytes_).substr(position, size.name);
    position += size.name + size.value;
    return other == name;
  });
}

void TagBuilder::end_attribute() {
  if (!in_attribute_) return;
  in_attribute_ = false;
  const std::size_t begin = bytes_.size() - current_.name - current_.value;
  if (attribute_fits_ && !repeats_a_name(std::string_view(bytes_).substr(begin, current_.name))) {
    sizes_.push_back(current_);
  } else {
    bytes_.resize(begin);
  }
}

StartTag TagBuilder::start_tag(bool self_closing) {
  end_attribute();
  std::string_view rest = bytes_;
  for (const AttributeSize& size : sizes_) {
    attributes_.push_back({rest.substr(0, size.name), rest.substr(size.name, size.value)});
    rest.remove_prefix(size.name + size.value);
  }
  return {name_, attributes_, self_closing};
}

}  // namespace fantail
