// The tag that is being read: its name and, where they are wanted, its attributes, in buffers that are used
// again for every tag. What a hostile page could make grow without end is capped. Knows no tokenizer states.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "worker/html/token.h"

namespace fantail {

class TagBuilder {
 public:
  // All names and values of one tag together. An attribute that does not fit is left out, never cut.
  static constexpr std::size_t kMaxBytes = 64 << 10;
  static constexpr std::size_t kMaxAttributes = 128;
  static constexpr std::size_t kMaxNameSize = 1024;  // a longer tag name is cut

  void begin(bool is_end_tag);
  bool is_end_tag() const { return is_end_tag_; }

  void append_name(std::string_view bytes);
  std::string_view name() const { return name_; }

  // To be called when the name is complete; attributes are only stored after keep_attributes().
  void keep_attributes() { keeps_attributes_ = true; }
  void begin_attribute();
  void append_attribute_name(std::string_view bytes);
  void append_attribute_value(std::string_view bytes);

  // Ends the tag. The views in it live until the next begin().
  StartTag start_tag(bool self_closing);

 private:
  struct AttributeSize {
    std::size_t name = 0;
    std::size_t value = 0;
  };

  void end_attribute();
  bool append_to_attribute(std::size_t size);
  bool repeats_a_name(std::string_view name) const;

  bool is_end_tag_ = false;
  bool keeps_attributes_ = false;
  bool in_attribute_ = false;
  bool attribute_fits_ = true;
  std::string name_;
  std::string bytes_;  // name, value, name, value, ... of the attributes
  AttributeSize current_;
  std::vector<AttributeSize> sizes_;
  std::vector<Attribute> attributes_;
};

}  // namespace fantail
