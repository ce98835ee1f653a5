#include "worker/html/token.h"

#include <algorithm>

#include "worker/html/character_reference.h"

namespace fantail {

std::string_view Attribute::value(std::string& buffer) const {
  return decode_attribute_value(raw_value, buffer);
}

const Attribute* StartTag::find(std::string_view attribute_name) const {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(),
                   [attribute_name](const Attribute& attribute) { return attribute.name == attribute_name; });
  return found == attributes.end() ? nullptr : &*found;
}

}  // namespace fantail
